//! One compute pipeline per kernel, compiled when a plan first needs it.

use crate::error::{Error, Result};
use crate::kernels::{Access, ENTRY_POINT, Kernel, Launch, kernels};

use super::device::Device;
use super::tile::Tile;

#[derive(Debug)]
pub(super) struct Pipeline {
    /// Name of the kernel.
    pub(super) name: &'static str,
    pub(super) pipeline: wgpu::ComputePipeline,
    pub(super) layout: wgpu::BindGroupLayout,
}

/// Pipelines by index in the kernel table.
#[derive(Debug)]
pub(super) struct Pipelines(Vec<Option<Pipeline>>);

impl Pipelines {
    /// Nothing compiled yet.
    pub(super) fn new() -> Self {
        Pipelines(kernels().map(|_| None).collect())
    }

    /// Compiles those kernels of the launches, with these tiles (or any), that aren't compiled yet.
    ///
    /// # Errors
    /// `Internal` with the kernel's name if the platform's compiler rejects one.
    pub(super) async fn compile(
        &mut self,
        device: &Device,
        launches: &[Launch],
        tile: Option<Tile>,
    ) -> Result<()> {
        let mut outcomes = Vec::new();
        let takes_short = tile != Some(Tile::Wide);
        let short = |launch: &Launch| launch.short.filter(|_| takes_short).map(|short| short.kernel);
        for kernel in launches.iter().flat_map(|launch| std::iter::once(launch.kernel).chain(short(launch))) {
            let index = Self::index(kernel)?;
            if self.0[index].is_none() {
                let watch = device.watch();
                self.0[index] = Some(create(&device.device, kernel));
                outcomes.push((index, watch.end(kernel.name.to_owned(), 0)));
            }
        }
        // Awaited only after all have been created, so that browsers compile in parallel.
        let mut result = Ok(());
        for (index, outcome) in outcomes {
            if let Err(error) = outcome.await {
                self.0[index] = None;
                result = Err(error);
            }
        }
        result
    }

    /// Number of compiled pipelines.
    pub(super) fn count(&self) -> usize {
        self.0.iter().flatten().count()
    }

    /// Index of a kernel's pipeline.
    pub(super) fn index(kernel: &Kernel) -> Result<usize> {
        kernels()
            .position(|entry| entry.name == kernel.name)
            .ok_or_else(|| Error::internal(kernel.name, "not in the kernel table"))
    }

    /// A pipeline that has been compiled for the plan.
    pub(super) fn get(&self, index: usize) -> &Pipeline {
        self.0[index].as_ref().expect("a plan's pipelines are compiled before it is prepared")
    }
}

fn create(device: &wgpu::Device, kernel: &Kernel) -> Pipeline {
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(kernel.name),
        source: wgpu::ShaderSource::Wgsl(kernel.source().into()),
    });
    let buffer = |binding: usize, ty, min_binding_size| wgpu::BindGroupLayoutEntry {
        binding: binding as u32,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size },
        count: None,
    };
    let block_size = wgpu::BufferSize::new(kernel.parameters.size as u64);
    let mut entries = vec![buffer(0, wgpu::BufferBindingType::Uniform, block_size)];
    for (index, binding) in kernel.bindings.iter().enumerate() {
        let read_only = binding.access == Access::Read;
        entries.push(buffer(index + 1, wgpu::BufferBindingType::Storage { read_only }, None));
    }
    let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some(kernel.name),
        entries: &entries,
    });
    let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(kernel.name),
        bind_group_layouts: &[Some(&layout)],
        immediate_size: 0,
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(kernel.name),
        layout: Some(&pipeline_layout),
        module: &module,
        entry_point: Some(ENTRY_POINT),
        compilation_options: wgpu::PipelineCompilationOptions {
            // Every kernel writes its workgroup memory before it reads it.
            zero_initialize_workgroup_memory: false,
            ..Default::default()
        },
        cache: None,
    });
    Pipeline { name: kernel.name, pipeline, layout }
}
