//! Everything that a plan needs on the device, made once: memory, parameter blocks, bind groups, staging.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::plan::{BufferId, Inputs, Operation, PAST_THE_END, ParameterId, Plan};

use super::device::Device;
use super::launch::{Launch, Operand, launch};
use super::memory::{Allocation, Ledger, padded};
use super::pipelines::Pipelines;

/// WebGPU's guaranteed alignment of offsets into uniform and storage buffers.
const ALIGNMENT: u64 = 256;
/// `input_ids`, `token_type_ids`, `attention_mask`.
const INPUTS: u64 = 3;

/// A plan that can run at once.
#[derive(Debug)]
pub(super) struct Prepared {
    plan: Plan,
    commands: Vec<Command>,
    slots: Vec<Allocation>,
    inputs: Allocation,
    /// Distance of the three inputs in [`Self::inputs`].
    input_stride: u64,
    /// Holds the parameter blocks that the bind groups refer to.
    blocks: Allocation,
    /// Each result buffer once, in the order of first mention.
    results: Vec<Copied>,
    staging: Allocation,
    /// Rows of the word and type tables: ids must be smaller.
    vocabulary: Option<usize>,
    token_types: Option<usize>,
    /// Scratch for the bytes of the inputs.
    bytes: Vec<u8>,
    /// Whether a run has gone through without a fault.
    pub(super) proven: bool,
    /// Set while results are awaited; still set if the one who waited went away.
    pub(super) in_flight: bool,
}

#[derive(Debug)]
struct Command {
    pipeline: usize,
    bind_group: wgpu::BindGroup,
    groups: [u32; 3],
}

/// An activation copied to staging memory.
#[derive(Debug)]
struct Copied {
    buffer: BufferId,
    slot: usize,
    offset: u64,
    bytes: u64,
}

/// What preparation needs to know of an executor.
pub(super) struct Loaded<'a> {
    pub(super) device: &'a Device,
    pub(super) ledger: &'a Arc<Ledger>,
    pub(super) pipelines: &'a Pipelines,
    pub(super) parameters: &'a [Option<(Vec<usize>, Allocation)>],
}

impl Loaded<'_> {
    fn parameter(&self, id: ParameterId) -> Result<&(Vec<usize>, Allocation)> {
        self.parameters
            .get(id.0)
            .and_then(Option::as_ref)
            .ok_or_else(|| Error::internal("plan", format!("parameter {} was not loaded", id.0)))
    }

    fn buffer(&self, label: &str, bytes: u64, usage: wgpu::BufferUsages) -> Result<Allocation> {
        let limit = self.device.device.limits().max_storage_buffer_binding_size;
        if padded(bytes) > limit {
            return Err(Error::unsupported(
                format!("`{label}` of {bytes} bytes"),
                format!(
                    "a GPU binding holds {limit}; use a smaller batch or a shorter length, or the CPU executor"
                ),
            ));
        }
        Ok(Allocation::new(&self.device.device, self.ledger, label, bytes, usage))
    }
}

impl Prepared {
    /// Bytes of activations, inputs and staging that `plan` would hold.
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

    pub(super) async fn new(plan: &Plan, loaded: &Loaded<'_>) -> Result<Self> {
        let shape_of = |id| loaded.parameter(id).map(|(shape, _)| shape.as_slice());
        let launches: Vec<Launch> =
            plan.steps.iter().map(|step| launch(plan, step, &shape_of)).collect::<Result<_>>()?;
        let watch = loaded.device.watch();
        let made = Self::allocate(plan, &launches, loaded);
        watch.end(name(plan), Self::bytes_of(plan)).await?;
        let mut prepared = made?;
        prepared.write_blocks(loaded, &launches);
        prepared.bind(loaded, &launches).await?;
        Ok(prepared)
    }

    fn allocate(plan: &Plan, launches: &[Launch], loaded: &Loaded<'_>) -> Result<Self> {
        use wgpu::BufferUsages as Usage;

        let tokens = plan.request.batch * plan.request.sequence;
        let input_stride = (tokens as u64 * 4).next_multiple_of(ALIGNMENT);
        let slot_usage = Usage::STORAGE | Usage::COPY_SRC;
        let mut slots = Vec::with_capacity(plan.slots.len());
        for (index, &len) in plan.slots.iter().enumerate() {
            slots.push(loaded.buffer(
                &format!("slot {index} of {}", name(plan)),
                len as u64 * 4,
                slot_usage,
            )?);
        }
        let inputs = loaded.buffer("inputs", INPUTS * input_stride, Usage::STORAGE | Usage::COPY_DST)?;
        let blocks_size = launches.len() as u64 * ALIGNMENT;
        let blocks = loaded.buffer("parameter blocks", blocks_size, Usage::UNIFORM | Usage::COPY_DST)?;
        let (results, size) = results(plan)?;
        let rows = |id: ParameterId| Ok::<_, Error>(loaded.parameter(id)?.0.first().copied());
        let (mut vocabulary, mut token_types) = (None, None);
        for step in &plan.steps {
            match step.operation {
                Operation::Embedding { table, .. } => vocabulary = rows(table)?,
                Operation::Position { token_type: Some(table), .. } => token_types = rows(table)?,
                _ => {}
            }
        }
        let staging = Allocation::new(
            &loaded.device.device,
            loaded.ledger,
            "results",
            size,
            Usage::MAP_READ | Usage::COPY_DST,
        );
        Ok(Prepared {
            plan: plan.clone(),
            commands: Vec::with_capacity(launches.len()),
            slots,
            inputs,
            input_stride,
            blocks,
            results,
            staging,
            vocabulary,
            token_types,
            bytes: vec![0; (INPUTS * input_stride) as usize],
            proven: false,
            in_flight: false,
        })
    }

    fn write_blocks(&self, loaded: &Loaded<'_>, launches: &[Launch]) {
        let mut bytes = vec![0; launches.len() * ALIGNMENT as usize];
        for (block, launch) in bytes.chunks_exact_mut(ALIGNMENT as usize).zip(launches) {
            block[..launch.parameters.len()].copy_from_slice(&launch.parameters);
        }
        loaded.device.queue.write_buffer(&self.blocks, 0, &bytes);
    }

    /// A bind group a step, labelled with the step's label.
    async fn bind(&mut self, loaded: &Loaded<'_>, launches: &[Launch]) -> Result<()> {
        let mut outcomes = Vec::with_capacity(launches.len());
        for (index, launch) in launches.iter().enumerate() {
            let label = self.plan.steps[index].label.clone();
            let pipeline = Pipelines::index(launch.kernel)?;
            let block = wgpu::BufferBinding {
                buffer: &self.blocks,
                offset: index as u64 * ALIGNMENT,
                size: wgpu::BufferSize::new(ALIGNMENT),
            };
            let mut entries =
                vec![wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::Buffer(block) }];
            for (index, &operand) in launch.operands.iter().enumerate() {
                let resource = wgpu::BindingResource::Buffer(self.binding(loaded, operand)?);
                entries.push(wgpu::BindGroupEntry { binding: index as u32 + 1, resource });
            }
            let watch = loaded.device.watch();
            let bind_group = loaded.device.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(&label),
                layout: &loaded.pipelines.get(pipeline).layout,
                entries: &entries,
            });
            outcomes.push(watch.end(label, 0));
            self.commands.push(Command { pipeline, bind_group, groups: launch.groups });
        }
        for outcome in outcomes {
            outcome.await?;
        }
        Ok(())
    }

    fn binding<'a>(&'a self, loaded: &'a Loaded<'_>, operand: Operand) -> Result<wgpu::BufferBinding<'a>> {
        let input = |index: u64| wgpu::BufferBinding {
            buffer: &self.inputs,
            offset: index * self.input_stride,
            size: wgpu::BufferSize::new(self.input_stride),
        };
        Ok(match operand {
            Operand::InputIds => input(0),
            Operand::TokenTypeIds => input(1),
            Operand::AttentionMask => input(2),
            Operand::Parameter(id) => loaded.parameter(id)?.1.as_entire_buffer_binding(),
            Operand::Buffer(id) => self.slots[slot_of(&self.plan, id)?.0].as_entire_buffer_binding(),
        })
    }

    /// Whether this is what `plan` asks for. Plans of one network and request are the same.
    pub(super) fn is_for(&self, plan: &Plan) -> bool {
        self.plan.request == plan.request
            && self.plan.slots == plan.slots
            && self.plan.buffers == plan.buffers
            && self.plan.outputs == plan.outputs
            && self.plan.steps == plan.steps
    }

    /// Bytes that [`Self::bytes_of`] foretold.
    pub(super) fn bytes(&self) -> u64 {
        Self::bytes_of(&self.plan)
    }

    /// Name for errors about the whole.
    pub(super) fn name(&self) -> String {
        name(&self.plan)
    }

    /// Writes ids, types and mask to the device.
    pub(super) fn write_inputs(&mut self, device: &Device, inputs: &Inputs) -> Result<()> {
        let tokens = self.plan.request.batch * self.plan.request.sequence;
        let fields = [
            ("input_ids", &inputs.input_ids),
            ("token_type_ids", &inputs.token_type_ids),
            ("attention_mask", &inputs.attention_mask),
        ];
        for (field, values) in fields {
            if values.len() != tokens {
                let problem = format!("{} values for {tokens} tokens", values.len());
                return Err(Error::invalid_input(field, problem));
            }
            if let Some((id, count)) = self.out_of_range(field, values) {
                return Err(Error::invalid_input(field, format!("holds {id}; there are {count}")));
            }
        }
        for (part, (_, values)) in self.bytes.chunks_exact_mut(self.input_stride as usize).zip(fields) {
            part[..4 * tokens].copy_from_slice(bytemuck::cast_slice(values));
        }
        device.queue.write_buffer(&self.inputs, 0, &self.bytes);
        Ok(())
    }

    /// The first id beyond the table that the steps look it up in, and the table's rows.
    fn out_of_range(&self, field: &str, values: &[u32]) -> Option<(u32, usize)> {
        let count = match field {
            "input_ids" => self.vocabulary?,
            "token_type_ids" => self.token_types?,
            _ => return None,
        };
        let padding = field == "input_ids";
        let outside = |&&id: &&u32| id as usize >= count && !(padding && id == PAST_THE_END);
        values.iter().find(outside).map(|&id| (id, count))
    }

    /// Submits the whole plan and the copies of its results.
    pub(super) fn submit(&self, device: &Device, pipelines: &Pipelines) {
        let mut encoder = self.encode(device, pipelines, self.commands.len());
        for result in &self.results {
            encoder.copy_buffer_to_buffer(
                &self.slots[result.slot],
                0,
                &self.staging,
                result.offset,
                Some(result.bytes),
            );
        }
        device.queue.submit(Some(encoder.finish()));
    }

    /// Submits the plan up to the step with this label; returns the copy of its output, and its size.
    pub(super) fn submit_until(&self, loaded: &Loaded<'_>, label: &str) -> Result<(Allocation, u64)> {
        let index = self
            .plan
            .steps
            .iter()
            .position(|step| step.label == label)
            .ok_or_else(|| Error::invalid_input("step", format!("the plan has no step `{label}`")))?;
        let (slot, len) = slot_of(&self.plan, self.plan.steps[index].output)?;
        let bytes = len as u64 * 4;
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let staging = loaded.buffer(label, bytes, usage)?;
        let mut encoder = self.encode(loaded.device, loaded.pipelines, index + 1);
        encoder.copy_buffer_to_buffer(&self.slots[slot], 0, &staging, 0, Some(bytes));
        loaded.device.queue.submit(Some(encoder.finish()));
        Ok((staging, bytes))
    }

    /// One compute pass over the first `count` steps.
    fn encode(&self, device: &Device, pipelines: &Pipelines, count: usize) -> wgpu::CommandEncoder {
        let mut encoder = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        let mut current = None;
        for (index, command) in self.commands[..count].iter().enumerate() {
            if current != Some(command.pipeline) {
                pass.set_pipeline(&pipelines.get(command.pipeline).pipeline);
                current = Some(command.pipeline);
            }
            if cfg!(debug_assertions) {
                pass.insert_debug_marker(&self.plan.steps[index].label);
            }
            pass.set_bind_group(0, &command.bind_group, &[]);
            let [x, y, z] = command.groups;
            pass.dispatch_workgroups(x, y, z);
        }
        drop(pass);
        encoder
    }

    /// Where the results arrive, and how many bytes.
    pub(super) fn staging(&self) -> (&wgpu::Buffer, u64) {
        let bytes = self.results.last().map_or(0, |result| result.offset + result.bytes);
        (&self.staging, bytes)
    }

    /// The results, one an output of the plan, out of what was read back.
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

fn results(plan: &Plan) -> Result<(Vec<Copied>, u64)> {
    let mut results: Vec<Copied> = Vec::new();
    let mut size = 0;
    for output in &plan.outputs {
        if results.iter().any(|result| result.buffer == output.buffer) {
            continue;
        }
        let (slot, len) = slot_of(plan, output.buffer)?;
        let bytes = len as u64 * 4;
        results.push(Copied { buffer: output.buffer, slot, offset: size, bytes });
        size += bytes;
    }
    Ok((results, size))
}

fn name(plan: &Plan) -> String {
    format!("plan for {} x {} tokens", plan.request.batch, plan.request.sequence)
}
