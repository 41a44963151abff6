//! A step of a plan as the launch of a kernel: its parameter block, what is bound, and how many groups. Touches no device.

use super::parameters::Layout;
use crate::error::{Error, Result};
use crate::kernels::linear::{self, SHORT_TILE, WIDE_TILE};
use crate::kernels::{self, Kernel};
use crate::plan::{BufferId, Operation, ParameterId, Plan, Residual, Step, limits};

/// Groups in a dimension that every device grants.
const MAX_GROUPS: u32 = limits::WORKGROUPS as u32;
/// Fewer groups of `linear` than this may leave cores of a GPU without work.
const FEW_GROUPS: u64 = 128;
/// Queries and features of a group of `attention`.
const ATTENTION_TILE: [usize; 2] = [64, 32];
/// Invocations a group of the kernels that run over a flat array.
const FLAT: usize = 64;

/// What is bound to a binding of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// `input_ids` of the run.
    InputIds,
    /// `token_type_ids` of the run.
    TokenTypeIds,
    /// `attention_mask` of the run.
    AttentionMask,
    /// A constant.
    Parameter(ParameterId),
    /// An activation.
    Buffer(BufferId),
}

/// One dispatch.
#[derive(Debug)]
pub struct Launch {
    /// The kernel.
    pub kernel: &'static Kernel,
    /// Its parameter block.
    pub parameters: Vec<u8>,
    /// Bindings 1.. in the kernel's order. An operand that the step does not have is stood in for by another that is
    /// read as well; the parameter block says that it is not to be used.
    pub operands: Vec<Operand>,
    /// Groups in x, y and z.
    pub groups: [u32; 3],
    /// The same in smaller tiles, where there are few groups.
    pub short: Option<Short>,
}

/// A launch of a kernel with the same parameter block and bindings in its place.
#[derive(Clone, Copy, Debug)]
pub struct Short {
    /// The kernel.
    pub kernel: &'static Kernel,
    /// Groups in x, y and z.
    pub groups: [u32; 3],
}

/// The launch that computes `step`; `layout_of` tells how a loaded parameter lies in its buffer.
///
/// # Errors
/// `Internal` where a shape cannot be, `Unsupported` where the launch exceeds WebGPU's guaranteed limits.
pub fn launch<'a>(
    plan: &Plan,
    step: &Step,
    layout_of: &dyn Fn(ParameterId) -> Result<&'a Layout>,
) -> Result<Launch> {
    let context = Context { plan, step, layout_of };
    let launch = context.launch()?;
    if let Some(groups) = launch.groups.iter().find(|&&groups| groups > MAX_GROUPS) {
        return Err(Error::unsupported(
            format!("step `{}` with {groups} groups", step.label),
            format!("a dimension has at most {MAX_GROUPS}; use a smaller batch or a shorter length"),
        ));
    }
    Ok(launch)
}

/// A parameter of two dimensions.
struct Rows {
    rows: usize,
    features: usize,
    in_bytes: bool,
}

struct Context<'a, 'b> {
    plan: &'b Plan,
    step: &'b Step,
    layout_of: &'b dyn Fn(ParameterId) -> Result<&'a Layout>,
}

impl Context<'_, '_> {
    fn launch(&self) -> Result<Launch> {
        let request = &self.plan.request;
        match &self.step.operation {
            Operation::Embedding { table, trigram } => self.embedding(*table, *trigram),
            Operation::Position { input, position, token_type } => {
                self.position(*input, *position, *token_type)
            }
            Operation::Linear { .. } => self.linear(),
            Operation::Activate { input, activation } => {
                let len = self.len(self.step.output)?;
                let parameters = kernels::activate::ActivateParameters {
                    len: self.u32(len)?,
                    activation: *activation as u32,
                };
                self.finish(
                    &kernels::activate::KERNEL,
                    parameters,
                    [Operand::Buffer(*input)],
                    flat(len.div_ceil(4)),
                )
            }
            Operation::Add { input, residual, features } => self.add(*input, *residual, *features),
            Operation::LayerNorm { input, weight, bias, features, epsilon } => {
                let rows = self.len(self.step.output)? / self.positive("features", *features)?;
                let parameters = kernels::layer_norm::LayerNormParameters {
                    rows: self.u32(rows)?,
                    features: self.u32(*features)?,
                    epsilon: *epsilon,
                };
                let operands =
                    [Operand::Buffer(*input), Operand::Parameter(*weight), Operand::Parameter(*bias)];
                self.finish(&kernels::layer_norm::KERNEL, parameters, operands, two_dimensional(rows))
            }
            Operation::AttentionProbabilities { query, key, heads, head_size } => {
                let operands = [Operand::AttentionMask, Operand::Buffer(*query), Operand::Buffer(*key)];
                let groups = [request.sequence, *heads, request.batch];
                let parameters = self.attention(*heads, *head_size)?;
                self.finish(&kernels::attention_probabilities::KERNEL, parameters, operands, groups)
            }
            Operation::AttentionContext { probabilities, value, heads, head_size } => {
                let operands = [Operand::Buffer(*probabilities), Operand::Buffer(*value)];
                let groups = flat(request.batch * request.sequence * heads * head_size);
                let parameters = self.attention(*heads, *head_size)?;
                self.finish(&kernels::attention_context::KERNEL, parameters, operands, groups)
            }
            Operation::Attention { query, key, value, heads, head_size } => {
                let matrices = [query, key, value].map(|id| Operand::Buffer(*id));
                let operands = [Operand::AttentionMask, matrices[0], matrices[1], matrices[2]];
                let groups = [
                    request.sequence.div_ceil(ATTENTION_TILE[0]),
                    head_size.div_ceil(ATTENTION_TILE[1]),
                    request.batch * heads,
                ];
                let parameters = self.attention(*heads, *head_size)?;
                self.finish(&kernels::attention::KERNEL, parameters, operands, groups)
            }
        }
    }

    fn attention(&self, heads: usize, head_size: usize) -> Result<kernels::attention::AttentionParameters> {
        let request = &self.plan.request;
        Ok(kernels::attention::AttentionParameters {
            batch: self.u32(request.batch)?,
            sequence: self.u32(request.sequence)?,
            heads: self.u32(heads)?,
            head_size: self.u32(head_size)?,
        })
    }

    fn embedding(&self, table: ParameterId, trigram: bool) -> Result<Launch> {
        let request = &self.plan.request;
        let Rows { rows, features: embedding_size, in_bytes } = self.rows(table)?;
        let parameters = kernels::embedding::EmbeddingParameters {
            batch: self.u32(request.batch)?,
            sequence: self.u32(request.sequence)?,
            embedding_size: self.u32(embedding_size)?,
            trigram: trigram.into(),
            vocabulary_size: self.u32(rows)?,
            in_bytes: in_bytes.into(),
        };
        let width = if trigram { 3 * embedding_size } else { embedding_size };
        let groups = flat(request.batch * request.sequence * width);
        let operands = [Operand::InputIds, Operand::Parameter(table)];
        self.finish(&kernels::embedding::KERNEL, parameters, operands, groups)
    }

    fn position(
        &self,
        input: Option<BufferId>,
        position: ParameterId,
        token_type: Option<ParameterId>,
    ) -> Result<Launch> {
        let request = &self.plan.request;
        let positions = self.rows(position)?;
        let token_types = self.rows(token_type.unwrap_or(position))?;
        let hidden_size = positions.features;
        if request.sequence > positions.rows {
            return Err(self.wrong(format!("{} tokens, {} positions", request.sequence, positions.rows)));
        }
        let parameters = kernels::position::PositionParameters {
            batch: self.u32(request.batch)?,
            sequence: self.u32(request.sequence)?,
            hidden_size: self.u32(hidden_size)?,
            has_input: input.is_some().into(),
            has_token_type: token_type.is_some().into(),
            positions: self.u32(positions.rows)?,
            token_types: self.u32(token_types.rows)?,
            position_in_bytes: positions.in_bytes.into(),
            token_type_in_bytes: token_types.in_bytes.into(),
        };
        let operands = [
            Operand::TokenTypeIds,
            input.map_or(Operand::Parameter(position), Operand::Buffer),
            Operand::Parameter(position),
            Operand::Parameter(token_type.unwrap_or(position)),
        ];
        let groups = flat(request.batch * request.sequence * hidden_size);
        self.finish(&kernels::position::KERNEL, parameters, operands, groups)
    }

    fn linear(&self) -> Result<Launch> {
        let Operation::Linear { input, rows, row_stride, weight, bias, activation, residual } =
            &self.step.operation
        else {
            return Err(self.wrong("not a linear".to_owned()));
        };
        let Rows { rows: out_features, features: in_features, in_bytes } = self.rows(*weight)?;
        let parameters = linear::LinearParameters {
            rows: self.u32(*rows)?,
            in_features: self.u32(in_features)?,
            out_features: self.u32(out_features)?,
            row_stride: self.u32(*row_stride)?,
            activation: *activation as u32,
            has_residual: residual.is_some().into(),
            has_scale: residual.is_some_and(|residual| residual.scale.is_some()).into(),
        };
        let operands = [
            Operand::Buffer(*input),
            Operand::Parameter(*weight),
            Operand::Parameter(*bias),
            residual.map_or(Operand::Parameter(*bias), |residual| Operand::Buffer(residual.buffer)),
            Operand::Parameter(residual.and_then(|residual| residual.scale).unwrap_or(*bias)),
        ];
        let groups = |tile: [usize; 2]| [out_features.div_ceil(tile[1]), rows.div_ceil(tile[0]), 1];
        let (kernel, short) = match in_bytes {
            true => (&linear::KERNEL_Q8, &linear::KERNEL_SHORT_Q8),
            false => (&linear::KERNEL, &linear::KERNEL_SHORT),
        };
        let mut launch = self.finish(kernel, parameters, operands, groups(WIDE_TILE))?;
        if launch.groups.map(u64::from).iter().product::<u64>() < FEW_GROUPS {
            let groups = self.groups(groups(SHORT_TILE))?;
            launch.short = Some(Short { kernel: short, groups });
        }
        Ok(launch)
    }

    fn add(&self, input: BufferId, residual: Residual, features: usize) -> Result<Launch> {
        let len = self.len(self.step.output)?;
        let parameters = kernels::add::AddParameters {
            len: self.u32(len)?,
            features: self.u32(self.positive("features", features)?)?,
            has_scale: residual.scale.is_some().into(),
        };
        let operands = [
            Operand::Buffer(input),
            Operand::Buffer(residual.buffer),
            residual.scale.map_or(Operand::Buffer(input), Operand::Parameter),
        ];
        self.finish(&kernels::add::KERNEL, parameters, operands, flat(len))
    }

    fn finish<const N: usize>(
        &self,
        kernel: &'static Kernel,
        parameters: impl bytemuck::Pod,
        operands: [Operand; N],
        groups: [usize; 3],
    ) -> Result<Launch> {
        let mut operands = operands.to_vec();
        operands.push(Operand::Buffer(self.step.output));
        let groups = self.groups(groups)?;
        if groups.contains(&0) || operands.len() != kernel.bindings.len() {
            return Err(self.wrong(format!("{} operands, groups {groups:?}", operands.len())));
        }
        let parameters = bytemuck::bytes_of(&parameters).to_vec();
        Ok(Launch { kernel, parameters, operands, groups, short: None })
    }

    fn groups(&self, [x, y, z]: [usize; 3]) -> Result<[u32; 3]> {
        Ok([self.u32(x)?, self.u32(y)?, self.u32(z)?])
    }

    fn rows(&self, id: ParameterId) -> Result<Rows> {
        let layout = (self.layout_of)(id)?;
        match layout.shape.as_slice() {
            &[rows, features] if rows > 0 && features > 0 => {
                Ok(Rows { rows, features, in_bytes: layout.in_bytes })
            }
            shape => Err(self.wrong(format!("parameter {} has shape {shape:?}, not a matrix's", id.0))),
        }
    }

    fn len(&self, id: BufferId) -> Result<usize> {
        match self.plan.buffers.get(id.0) {
            Some(buffer) if buffer.len > 0 => Ok(buffer.len),
            _ => Err(self.wrong(format!("buffer {} does not exist or is empty", id.0))),
        }
    }

    fn positive(&self, name: &str, value: usize) -> Result<usize> {
        if value > 0 { Ok(value) } else { Err(self.wrong(format!("{name} is 0"))) }
    }

    fn u32(&self, value: usize) -> Result<u32> {
        u32::try_from(value).map_err(|_| self.wrong(format!("{value} does not fit 32 bits")))
    }

    fn wrong(&self, problem: String) -> Error {
        Error::internal(&self.step.label, problem)
    }
}

/// Groups over a flat array: x as far as it goes, then y. The kernels compute `(y · groups.x + x) · 64 + local`.
fn flat(len: usize) -> [usize; 3] {
    two_dimensional(len.div_ceil(FLAT))
}

fn two_dimensional(groups: usize) -> [usize; 3] {
    let y = groups.div_ceil(MAX_GROUPS as usize).max(1);
    [groups.div_ceil(y), y, 1]
}
