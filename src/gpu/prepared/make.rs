//! Memory, parameter blocks, bind groups and staging of a plan, created once.

use crate::error::{Error, Result};
use crate::gpu::launch::launch;
use crate::gpu::memory::{Allocation, padded};
use crate::gpu::parameters::Uploaded;
use crate::gpu::pipelines::Pipelines;
use crate::kernels::{BufferId, Launch, Operand};
use crate::plan::{Identity, ParameterId, Plan};

use super::{ALIGNMENT, Command, Copied, Dispatch, INPUTS, PrepareContext, Prepared, name, slot_of};

impl PrepareContext<'_> {
    fn parameter(&self, id: ParameterId) -> Result<&Uploaded> {
        self.parameters
            .get(id.0)
            .and_then(Option::as_ref)
            .ok_or_else(|| Error::internal("plan", format!("parameter {} was not loaded", id.0)))
    }

    pub(super) fn buffer(&self, label: &str, bytes: u64, usage: wgpu::BufferUsages) -> Result<Allocation> {
        let limits = self.device.device.limits();
        // Results are copied to a buffer that isn't bound.
        let is_bound = !usage.contains(wgpu::BufferUsages::MAP_READ);
        let limit = if is_bound { limits.max_storage_buffer_binding_size } else { limits.max_buffer_size };
        if padded(bytes) > limit {
            return Err(Error::unsupported(
                format!("`{label}` of {bytes} bytes"),
                format!(
                    "this GPU allows {limit}; use a smaller batch, a shorter length, or the CPU executor"
                ),
            ));
        }
        Ok(Allocation::new(&self.device.device, self.ledger, label, bytes, usage))
    }
}

impl Prepared {
    /// The dispatches of a plan, with parameters as they were loaded.
    pub(in crate::gpu) fn launches(plan: &Plan, parameters: &[Option<Uploaded>]) -> Result<Vec<Launch>> {
        let layout_of = |id: ParameterId| parameters.get(id.0)?.as_ref().map(|uploaded| &uploaded.layout);
        plan.steps.iter().map(|step| launch(plan, step, &layout_of)).collect()
    }

    /// Creates the buffers and bind groups of `plan`, and waits for device errors. The pipelines of its
    /// launches must have been compiled.
    pub(in crate::gpu) async fn new(
        plan: &Plan,
        launches: &[Launch],
        context: &PrepareContext<'_>,
    ) -> Result<Self> {
        let watch = context.device.watch();
        let allocated = Self::allocate(plan, launches, context);
        watch.end(name(plan), Self::bytes_of(plan)).await?;
        let mut prepared = allocated?;
        prepared.write_blocks(context, launches);
        prepared.bind(context, launches).await?;
        Ok(prepared)
    }

    fn allocate(plan: &Plan, launches: &[Launch], context: &PrepareContext<'_>) -> Result<Self> {
        use wgpu::BufferUsages as Usage;

        let tokens = plan.request.batch * plan.request.sequence;
        let input_stride = (tokens as u64 * 4).next_multiple_of(ALIGNMENT);
        let slot_usage = Usage::STORAGE | Usage::COPY_SRC;
        let mut slots = Vec::with_capacity(plan.slots.len());
        for (index, &len) in plan.slots.iter().enumerate() {
            slots.push(context.buffer(
                &format!("slot {index} of {}", name(plan)),
                len as u64 * 4,
                slot_usage,
            )?);
        }
        let inputs = context.buffer("inputs", INPUTS * input_stride, Usage::STORAGE | Usage::COPY_DST)?;
        let blocks =
            context.buffer("parameter blocks", blocks_bytes(launches), Usage::UNIFORM | Usage::COPY_DST)?;
        let (results, size) = results(plan)?;
        let staging = context.buffer("results", size, Usage::MAP_READ | Usage::COPY_DST)?;
        Ok(Prepared {
            plan: Plan { identity: Identity::default(), ..plan.clone() },
            liveness: plan.identity.liveness(),
            commands: Vec::with_capacity(launches.len()),
            slots,
            inputs,
            input_stride,
            blocks,
            results,
            staging,
            bytes: vec![0; (INPUTS * input_stride) as usize],
            has_short: launches.iter().any(|launch| launch.short.is_some()),
            proven: [false; 2],
            in_flight: false,
        })
    }

    fn write_blocks(&self, context: &PrepareContext<'_>, launches: &[Launch]) {
        let mut bytes = Vec::with_capacity(blocks_bytes(launches) as usize);
        for launch in launches {
            bytes.extend_from_slice(&launch.parameters);
            bytes.resize(bytes.len().next_multiple_of(ALIGNMENT as usize), 0);
        }
        context.device.queue.write_buffer(&self.blocks, 0, &bytes);
    }

    /// Creates one bind group per step, labeled with the step's label.
    async fn bind(&mut self, context: &PrepareContext<'_>, launches: &[Launch]) -> Result<()> {
        let mut outcomes = Vec::with_capacity(launches.len());
        let mut offset = 0;
        for (step, launch) in launches.iter().enumerate() {
            let label = self.plan.steps[step].label.clone();
            let dispatch = |kernel, groups| Ok(Dispatch { pipeline: Pipelines::index(kernel)?, groups });
            let first = dispatch(launch.kernel, launch.workgroups)?;
            let short = launch.short.map(|short| dispatch(short.kernel, short.workgroups)).transpose()?;
            let block = wgpu::BufferBinding {
                buffer: &self.blocks,
                offset,
                size: wgpu::BufferSize::new(block_bytes(launch)),
            };
            offset += block_bytes(launch);
            let mut entries =
                vec![wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::Buffer(block) }];
            for (index, &operand) in launch.operands.iter().enumerate() {
                let output = self.plan.steps[step].output;
                let resource = wgpu::BindingResource::Buffer(self.binding(context, operand, output)?);
                entries.push(wgpu::BindGroupEntry { binding: index as u32 + 1, resource });
            }
            let watch = context.device.watch();
            let bind_group = context.device.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(&label),
                layout: &context.pipelines.get(first.pipeline).layout,
                entries: &entries,
            });
            outcomes.push(watch.end(label, 0));
            self.commands.push(Command { dispatch: first, bind_group, short });
        }
        for outcome in outcomes {
            outcome.await?;
        }
        Ok(())
    }

    fn binding<'a>(
        &'a self,
        loaded: &'a PrepareContext<'_>,
        operand: Operand,
        output: BufferId,
    ) -> Result<wgpu::BufferBinding<'a>> {
        let input = |index: u64| wgpu::BufferBinding {
            buffer: &self.inputs,
            offset: index * self.input_stride,
            size: wgpu::BufferSize::new(self.input_stride),
        };
        Ok(match operand {
            Operand::InputIds => input(0),
            Operand::TokenTypeIds => input(1),
            Operand::AttentionMask => input(2),
            Operand::Parameter(id) => {
                let uploaded = loaded.parameter(id)?;
                wgpu::BufferBinding {
                    buffer: &uploaded.buffer,
                    offset: uploaded.layout.offset as u64,
                    size: wgpu::BufferSize::new(uploaded.bytes),
                }
            }
            Operand::Group(id) => loaded.parameter(id)?.buffer.as_entire_buffer_binding(),
            Operand::Output => self.slots[slot_of(&self.plan, output)?.0].as_entire_buffer_binding(),
            Operand::Buffer(id) => self.slots[slot_of(&self.plan, id)?.0].as_entire_buffer_binding(),
        })
    }
}

/// Bytes taken by a parameter block in the buffer of blocks.
fn block_bytes(launch: &Launch) -> u64 {
    (launch.parameters.len() as u64).next_multiple_of(ALIGNMENT)
}

fn blocks_bytes(launches: &[Launch]) -> u64 {
    launches.iter().map(block_bytes).sum()
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
