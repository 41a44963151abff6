//! What a plan must keep: WebGPU's guaranteed limits, sizes that agree, results that exist before they are read.

use std::collections::HashSet;

use super::{BufferId, Network, Operation, ParameterId, Plan, Request, Residual, Step};
use crate::error::{Error, Result};

/// Limits that every WebGPU device grants, and so what a plan may use.
pub mod limits {
    /// Storage buffers a shader stage may bind.
    pub const STORAGE_BUFFERS: usize = 8;
    /// Bytes of one storage binding.
    pub const BINDING_BYTES: usize = 128 << 20;
    /// Workgroups along one dimension of a dispatch.
    pub const WORKGROUPS: usize = 65_535;
    /// Invocations of one workgroup.
    pub const INVOCATIONS: usize = 256;
    /// Bytes of workgroup storage.
    pub const WORKGROUP_STORAGE: usize = 16 << 10;
}

/// The size of a run, before anything is built for it.
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
                "is {}, must be from 1 to {} for {} tokens a sequence",
                request.batch,
                limits::WORKGROUPS / request.sequence,
                request.sequence
            ),
        ));
    }
    Ok(())
}

/// Bytes of the longest tensor the CPU takes: what a 32-bit `usize` and one allocation can name.
const TENSOR_BYTES: u64 = i32::MAX as u64;

/// No parameter may be longer than one allocation.
pub(super) fn parameter(name: &str, shape: &[usize]) -> Result<()> {
    let bytes = parameter_bytes(shape);
    if bytes <= TENSOR_BYTES {
        return Ok(());
    }
    Err(Error::unsupported(
        format!("`{name}` of shape {shape:?}, {bytes} bytes,"),
        format!("a tensor has at most {TENSOR_BYTES} bytes"),
    ))
}

/// No parameter of a network on a GPU may be longer than a binding.
///
/// # Errors
/// [`Error::Unsupported`] with the tensor.
pub fn fits_gpu(network: &Network) -> Result<()> {
    for parameter in &network.parameters {
        let bytes = parameter_bytes(&parameter.shape);
        if bytes > limits::BINDING_BYTES as u64 {
            return Err(Error::unsupported(
                format!("`{}` of shape {:?}, {bytes} bytes,", parameter.name, parameter.shape),
                format!("WebGPU guarantees {} bytes a buffer; the CPU takes it", limits::BINDING_BYTES),
            ));
        }
    }
    Ok(())
}

/// Products are taken in 64 bits: `usize` has 32 in browsers.
fn parameter_bytes(shape: &[usize]) -> u64 {
    shape.iter().fold(4u64, |bytes, size| bytes.saturating_mul(*size as u64))
}

/// No result may be longer than a binding.
fn result(label: &str, len: usize, request: &Request) -> Result<()> {
    if len <= limits::BINDING_BYTES / 4 {
        return Ok(());
    }
    Err(Error::unsupported(
        format!("`{label}` of {len} floats at batch {} × sequence {}", request.batch, request.sequence),
        format!(
            "WebGPU guarantees {} bytes a buffer; use a smaller batch or a shorter length",
            limits::BINDING_BYTES
        ),
    ))
}

/// Everything but memory.
pub(super) fn plan(network: &Network, plan: &Plan) -> Result<()> {
    for buffer in &plan.buffers {
        result(&buffer.label, buffer.len, &plan.request)?;
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
        let bindings = implicit_inputs(&step.operation) + reads.len() + step.operation.parameters().len() + 1;
        if bindings > limits::STORAGE_BUFFERS {
            return Err(fail(format!("binds {bindings} buffers, at most {}", limits::STORAGE_BUFFERS)));
        }
        Sizes { network, plan, step }.check()?;
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

/// Ids, types and mask are bound besides buffers and parameters.
fn implicit_inputs(operation: &Operation) -> usize {
    match operation {
        Operation::Embedding { .. } | Operation::Position { .. } => 1,
        Operation::AttentionProbabilities { .. } | Operation::Attention { .. } => 1,
        _ => 0,
    }
}

/// Sizes of one step: operands, parameters and result must agree.
struct Sizes<'a> {
    network: &'a Network,
    plan: &'a Plan,
    step: &'a Step,
}

impl Sizes<'_> {
    fn check(&self) -> Result<()> {
        let Request { batch, sequence, .. } = self.plan.request;
        let rows = batch * sequence;
        match &self.step.operation {
            Operation::Embedding { table, trigram } => {
                let width = self.columns(*table)? * if *trigram { 3 } else { 1 };
                self.result(rows * width)
            }
            Operation::Position { input, position, token_type } => {
                let width = self.columns(*position)?;
                if let Some(token_type) = token_type {
                    self.equal("token type width", self.columns(*token_type)?, width)?;
                }
                if let Some(input) = input {
                    self.buffer(*input, rows * width)?;
                }
                self.result(rows * width)
            }
            Operation::Linear { input, rows, row_stride, weight, bias, residual, .. } => {
                let (outs, ins) = (self.rows(*weight)?, self.columns(*weight)?);
                self.vector(*bias, outs)?;
                if *row_stride < ins {
                    return Err(self.fail(format!("rows {row_stride} apart hold {ins} features")));
                }
                self.buffer(*input, rows * row_stride)?;
                if let Some(residual) = residual {
                    self.residual(residual, *rows, outs)?;
                }
                self.result(rows * outs)
            }
            Operation::Activate { input, .. } => self.result(self.len(*input)?),
            Operation::Add { input, residual, features } => {
                let len = self.len(*input)?;
                if *features == 0 || !len.is_multiple_of(*features) {
                    return Err(self.fail(format!("{len} floats in rows of {features}")));
                }
                self.residual(residual, len / features, *features)?;
                self.result(len)
            }
            Operation::LayerNorm { input, weight, bias, features, .. } => {
                let len = self.len(*input)?;
                self.vector(*weight, *features)?;
                self.vector(*bias, *features)?;
                self.equal("floats", len, len / features.max(&1) * features)?;
                self.result(len)
            }
            Operation::AttentionProbabilities { query, key, heads, head_size } => {
                self.buffer(*query, rows * heads * head_size)?;
                self.buffer(*key, rows * heads * head_size)?;
                self.result(batch * heads * sequence * sequence)
            }
            Operation::AttentionContext { probabilities, value, heads, head_size } => {
                self.buffer(*probabilities, batch * heads * sequence * sequence)?;
                self.buffer(*value, rows * heads * head_size)?;
                self.result(rows * heads * head_size)
            }
            Operation::Attention { query, key, value, heads, head_size } => {
                for operand in [query, key, value] {
                    self.buffer(*operand, rows * heads * head_size)?;
                }
                self.result(rows * heads * head_size)
            }
        }
    }

    fn fail(&self, problem: String) -> Error {
        Error::internal(&self.step.label, problem)
    }

    fn equal(&self, what: &str, found: usize, expected: usize) -> Result<()> {
        if found == expected {
            Ok(())
        } else {
            Err(self.fail(format!("{what}: {found} and {expected} disagree")))
        }
    }

    fn len(&self, buffer: BufferId) -> Result<usize> {
        self.plan
            .buffers
            .get(buffer.0)
            .map(|buffer| buffer.len)
            .ok_or_else(|| self.fail(format!("buffer {} does not exist", buffer.0)))
    }

    fn buffer(&self, buffer: BufferId, expected: usize) -> Result<()> {
        self.equal("operand", self.len(buffer)?, expected)
    }

    fn result(&self, expected: usize) -> Result<()> {
        self.equal("result", self.len(self.step.output)?, expected)
    }

    fn shape(&self, id: ParameterId) -> Result<&[usize]> {
        self.network
            .parameters
            .get(id.0)
            .map(|parameter| parameter.shape.as_slice())
            .ok_or_else(|| self.fail(format!("parameter {} does not exist", id.0)))
    }

    fn vector(&self, id: ParameterId, expected: usize) -> Result<()> {
        let shape = self.shape(id)?;
        if shape == [expected] {
            Ok(())
        } else {
            Err(self.fail(format!("vector {shape:?}, expected [{expected}]")))
        }
    }

    fn rows(&self, id: ParameterId) -> Result<usize> {
        match self.shape(id)? {
            [rows, _] => Ok(*rows),
            shape => Err(self.fail(format!("parameter {shape:?} is no matrix"))),
        }
    }

    fn columns(&self, id: ParameterId) -> Result<usize> {
        match self.shape(id)? {
            [_, columns] => Ok(*columns),
            shape => Err(self.fail(format!("parameter {shape:?} is no matrix"))),
        }
    }

    fn residual(&self, residual: &Residual, rows: usize, features: usize) -> Result<()> {
        self.buffer(residual.buffer, rows * features)?;
        residual.scale.map_or(Ok(()), |scale| self.vector(scale, features))
    }
}

/// Slots are long enough, and no step writes where it reads.
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
