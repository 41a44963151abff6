//! One compute pipeline per kernel.

use crate::error::{Error, Result};
use crate::kernels::{Access, ENTRY_POINT, Kernel, kernels};

use super::device::Device;

#[derive(Debug)]
pub(super) struct Pipeline {
    /// The kernel's.
    pub(super) name: &'static str,
    pub(super) pipeline: wgpu::ComputePipeline,
    pub(super) layout: wgpu::BindGroupLayout,
}

#[derive(Debug)]
pub(super) struct Pipelines(Vec<Pipeline>);

impl Pipelines {
    /// Compiles every kernel.
    pub(super) async fn new(device: &Device) -> Result<Self> {
        let mut pipelines = Vec::new();
        let mut outcomes = Vec::new();
        for kernel in kernels() {
            let watch = device.watch();
            pipelines.push(create(&device.device, kernel));
            outcomes.push(watch.end(kernel.name.to_owned(), 0));
        }
        // Awaited after the last one was created, so that browsers compile in parallel.
        for outcome in outcomes {
            outcome.await?;
        }
        Ok(Pipelines(pipelines))
    }

    /// Index of a kernel's pipeline.
    pub(super) fn index(kernel: &Kernel) -> Result<usize> {
        kernels()
            .position(|entry| entry.name == kernel.name)
            .ok_or_else(|| Error::internal(kernel.name, "not in the kernel table"))
    }

    pub(super) fn get(&self, index: usize) -> &Pipeline {
        &self.0[index]
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
