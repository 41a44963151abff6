//! Checks of a plan: WebGPU's guaranteed limits, consistent sizes, and buffers written before they are read.

use std::collections::HashSet;

use super::{BufferId, Network, Plan, Request};
use crate::error::{Error, Result};

/// Limits that every WebGPU device guarantees.
pub mod limits {
    /// Storage buffers per shader stage.
    pub const STORAGE_BUFFERS: usize = 8;
    /// Bytes of one storage binding.
    pub const BINDING_BYTES: usize = 128 << 20;
    /// Workgroups along one dimension of a dispatch.
    pub const WORKGROUPS: usize = crate::kernels::MAX_WORKGROUPS as usize;
    /// Invocations of one workgroup.
    pub const INVOCATIONS: usize = 256;
    /// Bytes of workgroup storage.
    pub const WORKGROUP_STORAGE: usize = 16 << 10;
}

/// Checks the size of a run before anything is built for it.
pub(super) fn request(network: &Network, request: &Request) -> Result<()> {
    let longest = network.config.max_position_embeddings;
    if request.sequence == 0 || request.sequence > longest {
        return Err(Error::invalid_input(
            "sequence",
            format!("is {}, must be from 1 to {longest} (`max_position_embeddings`)", request.sequence),
        ));
    }
    let rows = request.batch.checked_mul(request.sequence);
    if request.batch == 0 || rows.is_none_or(|rows| rows > limits::WORKGROUPS) {
        return Err(Error::invalid_input(
            "batch",
            format!(
                "is {}, must be from 1 to {} for {} tokens per sequence",
                request.batch,
                limits::WORKGROUPS / request.sequence,
                request.sequence
            ),
        ));
    }
    let layers = network.config.num_hidden_layers;
    if let Some(layer) = request.attention_of.filter(|layer| *layer >= layers) {
        return Err(Error::invalid_input("layer", format!("is {layer}, must be below {layers}")));
    }
    Ok(())
}

/// Maximum bytes of a tensor on the CPU: one allocation on a 32-bit platform.
const TENSOR_BYTES: u64 = i32::MAX as u64;

/// Checks that a parameter or a result fits into one allocation.
pub(super) fn size(name: &str, shape: &[usize]) -> Result<()> {
    let bytes = parameter_bytes(shape);
    if bytes <= TENSOR_BYTES {
        return Ok(());
    }
    Err(Error::unsupported(
        format!("`{name}` of shape {shape:?}, {bytes} bytes,"),
        format!("a tensor has at most {TENSOR_BYTES} bytes"),
    ))
}

/// Checks that every parameter of a network fits into a GPU binding.
///
/// # Errors
/// [`Error::Unsupported`] with the name of the tensor.
pub fn fits_gpu(network: &Network) -> Result<()> {
    for parameter in &network.parameters {
        let bytes = parameter_bytes(&parameter.shape);
        if bytes > limits::BINDING_BYTES as u64 {
            return Err(Error::unsupported(
                format!("`{}` of shape {:?}, {bytes} bytes,", parameter.name, parameter.shape),
                format!("WebGPU only guarantees {} bytes per buffer; use the CPU", limits::BINDING_BYTES),
            ));
        }
    }
    Ok(())
}

/// Computed in 64 bits: `usize` has 32 in browsers.
fn parameter_bytes(shape: &[usize]) -> u64 {
    shape.iter().fold(4u64, |bytes, size| bytes.saturating_mul(*size as u64))
}

/// Checks everything except memory.
pub(super) fn plan(network: &Network, plan: &Plan) -> Result<()> {
    for buffer in &plan.buffers {
        // Whether it fits into a binding depends on the GPU.
        size(&buffer.label, &[buffer.len])?;
    }
    let mut written: HashSet<BufferId> = HashSet::new();
    let mut labels: HashSet<&str> = HashSet::new();
    for step in &plan.steps {
        let fail = |problem: String| Error::internal(&step.label, problem);
        let reads = step.operation.reads();
        if let Some(BufferId(missing)) = reads.iter().find(|buffer| !written.contains(buffer)) {
            return Err(fail(format!("reads buffer {missing} before it is written")));
        }
        if !labels.insert(&step.label) {
            return Err(fail("has a label that another step has".into()));
        }
        if !written.insert(step.output) {
            return Err(fail("writes a buffer that another step wrote".into()));
        }
        let bindings = step.operation.operator().kernel().bindings.len();
        if bindings > limits::STORAGE_BUFFERS {
            return Err(fail(format!("binds {bindings} buffers, at most {}", limits::STORAGE_BUFFERS)));
        }
        plan.with_shapes(network, step, |shapes| step.operation.operator().check(shapes))?;
    }
    for output in &plan.outputs {
        let len = output.shape.iter().product::<usize>() * output.column.map_or(1, |(_, width)| width);
        let found = plan.buffers.get(output.buffer.0).map(|buffer| buffer.len);
        if found != Some(len) || !written.contains(&output.buffer) {
            return Err(Error::internal(
                &output.name,
                format!("output of {len} floats in a buffer of {found:?}"),
            ));
        }
    }
    Ok(())
}

/// Checks that slots are long enough and that no step writes to memory that it reads.
pub(super) fn memory(plan: &Plan) -> Result<()> {
    for step in &plan.steps {
        let output = &plan.buffers[step.output.0];
        if plan.slots.get(output.slot).is_none_or(|slot| *slot < output.len) {
            return Err(Error::internal(&step.label, format!("slot {} is too short", output.slot)));
        }
        if step.operation.reads().iter().any(|buffer| plan.buffers[buffer.0].slot == output.slot) {
            return Err(Error::internal(&step.label, "writes where it reads"));
        }
    }
    Ok(())
}
