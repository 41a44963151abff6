//! A plan with its buffers and bind groups on the device: writes inputs, submits steps, copies results.

mod make;

use std::sync::Arc;

use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::plan::{BufferId, Inputs, Liveness, Plan, Request, Stretch};

use super::completion;
use super::device::Device;
use super::memory::{ALIGNMENT, Allocation, Ledger, padded};
use super::parameters::Uploaded;
use super::pipelines::Pipelines;
use super::tile::Tile;
use super::timestamps::Timestamps;

/// `input_ids`, `token_type_ids`, `attention_mask`.
const INPUTS: u64 = 3;

/// A plan that is ready to run.
#[derive(Debug)]
pub(super) struct Prepared {
    /// A copy with a different identity, so that it doesn't keep the original alive.
    plan: Plan,
    liveness: Liveness,
    commands: Vec<Command>,
    slots: Vec<Allocation>,
    inputs: Allocation,
    /// Distance between the three inputs in [`Self::inputs`], in bytes.
    input_stride: u64,
    /// Holds the parameter blocks that the bind groups refer to.
    blocks: Allocation,
    /// Each result buffer once, in order of first mention.
    results: Vec<Copied>,
    staging: Allocation,
    /// Scratch for the bytes of the inputs.
    bytes: Vec<u8>,
    /// True if some step has a variant with short tiles.
    pub(super) has_short: bool,
    /// By [`Tile`], true once a run has succeeded.
    pub(super) proven: [bool; 2],
    /// Set while results are awaited; remains set if the waiting future is dropped.
    pub(super) in_flight: bool,
}

#[derive(Debug)]
struct Command {
    dispatch: Dispatch,
    bind_group: wgpu::BindGroup,
    /// Replaces `dispatch` for short tiles.
    short: Option<Dispatch>,
}

#[derive(Clone, Copy, Debug)]
struct Dispatch {
    pipeline: usize,
    groups: [u32; 3],
}

impl Command {
    fn dispatch_for(&self, tile: Tile) -> Dispatch {
        self.short.filter(|_| tile == Tile::Short).unwrap_or(self.dispatch)
    }

    /// Records the one dispatch of a pass.
    fn record(&self, pass: &mut wgpu::ComputePass<'_>, pipelines: &Pipelines, tile: Tile) {
        let Dispatch { pipeline, groups: [x, y, z] } = self.dispatch_for(tile);
        pass.set_pipeline(&pipelines.get(pipeline).pipeline);
        pass.set_bind_group(0, &self.bind_group, &[]);
        pass.dispatch_workgroups(x, y, z);
    }
}

/// An activation copied to staging memory.
#[derive(Debug)]
struct Copied {
    buffer: BufferId,
    slot: usize,
    offset: u64,
    bytes: u64,
}

/// The parts of an executor that preparing a plan needs.
pub(super) struct PrepareContext<'a> {
    pub(super) device: &'a Device,
    pub(super) ledger: &'a Arc<Ledger>,
    pub(super) pipelines: &'a Pipelines,
    pub(super) parameters: &'a [Option<Uploaded>],
}

impl Prepared {
    /// Bytes of activations, results and parameter blocks of `plan`.
    pub(super) fn bytes_of(plan: &Plan) -> u64 {
        let slots: u64 = plan.slots.iter().map(|&len| padded(len as u64 * 4)).sum();
        let results: u64 = plan
            .outputs
            .iter()
            .filter_map(|output| plan.buffers.get(output.buffer.0))
            .map(|buffer| buffer.len as u64 * 4)
            .sum();
        slots + results + plan.steps.len() as u64 * ALIGNMENT
    }

    /// Returns whether it was prepared for `plan`.
    pub(super) fn is_for(&self, plan: &Plan) -> bool {
        self.liveness.is_of(&plan.identity)
    }

    /// Returns whether the plan that it was prepared for still exists.
    pub(super) fn is_alive(&self) -> bool {
        self.liveness.is_alive()
    }

    /// The request that the plan was made for.
    pub(super) fn request(&self) -> Request {
        self.plan.request
    }

    /// Bytes that [`Self::bytes_of`] predicted.
    pub(super) fn bytes(&self) -> u64 {
        Self::bytes_of(&self.plan)
    }

    /// Name for errors about the whole plan.
    pub(super) fn name(&self) -> String {
        name(&self.plan)
    }

    /// Writes ids, types and mask to the device; their lengths have been checked.
    pub(super) fn write_inputs(&mut self, device: &Device, inputs: &Inputs) {
        let fields = [&inputs.input_ids, &inputs.token_type_ids, &inputs.attention_mask];
        for (part, values) in self.bytes.chunks_exact_mut(self.input_stride as usize).zip(fields) {
            part[..size_of_val(values.as_slice())].copy_from_slice(bytemuck::cast_slice(values));
        }
        device.queue.write_buffer(&self.inputs, 0, &self.bytes);
    }

    /// Submits the plan, with some steps repeated, and the copies of its results; `timestamps` are written
    /// around the single pass.
    pub(super) fn submit(
        &self,
        device: &Device,
        pipelines: &Pipelines,
        tile: Tile,
        stretch: &Stretch,
        timestamps: Option<&Timestamps>,
    ) {
        let count = self.commands.len();
        let mut encoder = self.encode(device, pipelines, tile, stretch, count, timestamps);
        for result in &self.results {
            encoder.copy_buffer_to_buffer(
                &self.slots[result.slot],
                0,
                &self.staging,
                result.offset,
                Some(result.bytes),
            );
        }
        if let Some(timestamps) = timestamps {
            timestamps.resolve(&mut encoder);
        }
        device.queue.submit(Some(encoder.finish()));
    }

    /// Submits every step in a pass of its own, with timestamps around it. No results are copied.
    pub(super) fn submit_steps_timed(
        &self,
        device: &Device,
        pipelines: &Pipelines,
        tile: Tile,
        timestamps: &Timestamps,
    ) {
        let mut encoder = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        for (index, command) in self.commands.iter().enumerate() {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: Some(&self.plan.steps[index].label),
                timestamp_writes: Some(timestamps.writes(index)),
            });
            command.record(&mut pass, pipelines, tile);
        }
        timestamps.resolve(&mut encoder);
        device.queue.submit(Some(encoder.finish()));
    }

    /// Milliseconds of each step by the CPU's clock: one submit per step, with a wait after each.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] if the device failed or hangs.
    pub(super) async fn time_submits(
        &self,
        device: &Device,
        pipelines: &Pipelines,
        tile: Tile,
    ) -> Result<Vec<f64>> {
        let mut times = Vec::with_capacity(self.commands.len());
        completion::all_work(device, "profile").await?;
        for command in &self.commands {
            let started = now_ms();
            let mut encoder =
                device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            command.record(&mut pass, pipelines, tile);
            drop(pass);
            device.queue.submit(Some(encoder.finish()));
            completion::all_work(device, "profile").await?;
            times.push(now_ms() - started);
        }
        Ok(times)
    }

    /// The kernel of each step.
    pub(super) fn kernels<'a>(
        &'a self,
        pipelines: &'a Pipelines,
        tile: Tile,
    ) -> impl Iterator<Item = &'static str> + 'a {
        self.commands.iter().map(move |command| pipelines.get(command.dispatch_for(tile).pipeline).name)
    }

    /// Submits the plan up to the step with this label; returns the copy of its output, and its size.
    pub(super) fn submit_until(
        &self,
        context: &PrepareContext<'_>,
        tile: Tile,
        label: &str,
    ) -> Result<(Allocation, u64)> {
        let index = self
            .plan
            .steps
            .iter()
            .position(|step| step.label == label)
            .ok_or_else(|| Error::invalid_input("step", format!("the plan has no step `{label}`")))?;
        let (slot, len) = slot_of(&self.plan, self.plan.steps[index].output)?;
        let bytes = len as u64 * 4;
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let staging = context.buffer(label, bytes, usage)?;
        let mut encoder =
            self.encode(context.device, context.pipelines, tile, &Stretch::NONE, index + 1, None);
        encoder.copy_buffer_to_buffer(&self.slots[slot], 0, &staging, 0, Some(bytes));
        context.device.queue.submit(Some(encoder.finish()));
        Ok((staging, bytes))
    }

    /// One compute pass over the first `count` steps.
    fn encode(
        &self,
        device: &Device,
        pipelines: &Pipelines,
        tile: Tile,
        stretch: &Stretch,
        count: usize,
        timestamps: Option<&Timestamps>,
    ) -> wgpu::CommandEncoder {
        let mut encoder = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: None,
            timestamp_writes: timestamps.map(|timestamps| timestamps.writes(0)),
        });
        let mut current = None;
        for index in stretch.order(count) {
            let command = &self.commands[index];
            let Dispatch { pipeline, groups: [x, y, z] } = command.dispatch_for(tile);
            if current != Some(pipeline) {
                pass.set_pipeline(&pipelines.get(pipeline).pipeline);
                current = Some(pipeline);
            }
            if cfg!(debug_assertions) {
                pass.insert_debug_marker(&self.plan.steps[index].label);
            }
            pass.set_bind_group(0, &command.bind_group, &[]);
            pass.dispatch_workgroups(x, y, z);
        }
        drop(pass);
        encoder
    }

    /// The staging buffer of the results, and its used bytes.
    pub(super) fn staging(&self) -> (&wgpu::Buffer, u64) {
        let bytes = self.results.last().map_or(0, |result| result.offset + result.bytes);
        (&self.staging, bytes)
    }

    /// Splits what was read back into the plan's outputs.
    pub(super) fn split(&self, values: &[f32]) -> Vec<Vec<f32>> {
        let of = |buffer: BufferId| {
            let result = self.results.iter().find(|result| result.buffer == buffer);
            result.and_then(|result| {
                let start = (result.offset / 4) as usize;
                values.get(start..start + (result.bytes / 4) as usize)
            })
        };
        self.plan.outputs.iter().map(|output| of(output.buffer).unwrap_or_default().to_vec()).collect()
    }
}

/// Slot and length in floats of a buffer.
fn slot_of(plan: &Plan, id: BufferId) -> Result<(usize, usize)> {
    match plan.buffers.get(id.0) {
        Some(buffer) if plan.slots.get(buffer.slot).is_some_and(|&len| len >= buffer.len) => {
            Ok((buffer.slot, buffer.len))
        }
        _ => Err(Error::internal(name(plan), format!("buffer {} has no memory", id.0))),
    }
}

fn name(plan: &Plan) -> String {
    format!("plan for {} x {} tokens", plan.request.batch, plan.request.sequence)
}
