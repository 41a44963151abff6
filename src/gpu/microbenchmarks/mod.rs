//! The adapter's limits, for comparison with kernel times: the cost of a dispatch, copy bandwidth, and the
//! throughput of multiply-adds.

mod overhead;
mod roofline;

pub use overhead::{DispatchCost, Overhead};
pub use roofline::Roofline;

use crate::clock::now_ms;
use crate::error::Result;
use crate::profile::Clock;
use crate::sorting::sort_by;

use super::completion;
use super::device::Device;
use super::readback::read_back;
use super::timestamps::Timestamps;

/// A kernel with storage buffers and no parameters. The first buffer is written, the others are read.
struct Microbenchmark {
    name: &'static str,
    pipeline: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
}

/// The times of one pass in milliseconds.
#[derive(Clone, Copy)]
struct PassTime {
    /// Encoding and submitting, by the CPU's clock.
    encode: f64,
    /// Executing.
    gpu: f64,
}

/// Dispatches of one pass: the number of workgroups and the bind group of each.
type Dispatches<'a> = &'a [(u32, &'a wgpu::BindGroup)];

impl Microbenchmark {
    async fn new(device: &Device, name: &'static str, wgsl: &'static str, buffers: u32) -> Result<Self> {
        let watch = device.watch();
        let module = device.device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(name),
            source: wgpu::ShaderSource::Wgsl(wgsl.into()),
        });
        let entries: Vec<_> = (0..buffers)
            .map(|binding| wgpu::BindGroupLayoutEntry {
                binding,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer {
                    ty: wgpu::BufferBindingType::Storage { read_only: binding > 0 },
                    has_dynamic_offset: false,
                    min_binding_size: None,
                },
                count: None,
            })
            .collect();
        let layout = device.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some(name),
            entries: &entries,
        });
        let pipeline_layout = device.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(name),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let pipeline = device.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(name),
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: Some(crate::kernels::ENTRY_POINT),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        watch.end(name.to_owned(), 0).await?;
        Ok(Microbenchmark { name, pipeline, layout })
    }

    fn bind(&self, device: &Device, buffers: &[&wgpu::Buffer]) -> wgpu::BindGroup {
        let entries: Vec<_> = (0..)
            .zip(buffers)
            .map(|(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
            .collect();
        device.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(self.name),
            layout: &self.layout,
            entries: &entries,
        })
    }

    /// Runs the dispatches in one pass and waits for the end.
    async fn time(&self, device: &Device, dispatches: Dispatches<'_>) -> Result<PassTime> {
        let timestamps = Timestamps::new(device, 1);
        let started = now_ms();
        let mut encoder = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some(self.name),
            timestamp_writes: timestamps.as_ref().map(|timestamps| timestamps.writes(0)),
        });
        pass.set_pipeline(&self.pipeline);
        for (groups, bind_group) in dispatches {
            pass.set_bind_group(0, *bind_group, &[]);
            pass.dispatch_workgroups(*groups, 1, 1);
        }
        drop(pass);
        if let Some(timestamps) = &timestamps {
            timestamps.resolve(&mut encoder);
        }
        device.queue.submit(Some(encoder.finish()));
        let submitted = now_ms();
        completion::all_work(device, self.name).await?;
        let ended = now_ms();
        let gpu = match timestamps {
            Some(timestamps) => timestamps.read(device).await?.iter().sum(),
            None => ended - submitted,
        };
        Ok(PassTime { encode: submitted - started, gpu })
    }
}

/// The clock for the GPU's part of a [`PassTime`].
fn clock(device: &Device) -> Clock {
    if device.has_timestamps() { Clock::Timestamps } else { Clock::Submits }
}

/// A storage buffer whose content can be written and read.
fn buffer(device: &Device, label: &'static str, size: u64) -> wgpu::Buffer {
    use wgpu::BufferUsages as Usage;
    device.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size,
        usage: Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST,
        mapped_at_creation: false,
    })
}

/// The first `bytes` of a buffer.
async fn content<P: bytemuck::Pod>(device: &Device, source: &wgpu::Buffer, bytes: u64) -> Result<Vec<P>> {
    let staging = device.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("staging"),
        size: bytes,
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let mut encoder = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    encoder.copy_buffer_to_buffer(source, 0, &staging, 0, Some(bytes));
    device.queue.submit(Some(encoder.finish()));
    let values = read_back(device, &staging, bytes, <[P]>::to_vec).await;
    staging.destroy();
    values
}

/// The middle value of an odd number of values.
fn median(mut values: Vec<f64>) -> f64 {
    sort_by(&mut values, f64::total_cmp);
    values[values.len() / 2]
}
