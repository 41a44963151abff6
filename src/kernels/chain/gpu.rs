//! The parameter block with its offsets into the buffer of weights, and the dispatch.

use super::{Chain, ChainLinear, ChainOperand, ChainParameters, ChainSource, LinearBlock, MEMORY, NONE};
use crate::error::Result;
use crate::kernels::launch::{Launch, Operand};
use crate::kernels::operator::Dispatch;
use crate::kernels::wgsl::include_wgsl;
use crate::kernels::{Kernel, ParameterId, Shapes, WeightFormat, read, write};

/// Rows computed by a workgroup, one per vector component.
pub const ROWS: usize = 4;
/// Invocations per workgroup.
const INVOCATIONS: usize = 256;

/// Table entry.
pub const KERNEL: Kernel = Kernel {
    name: "chain",
    wgsl: &[
        include_wgsl!("../../../shaders/shared/activation.wgsl"),
        include_wgsl!("../../../shaders/shared/unpack.wgsl"),
        include_wgsl!("../../../shaders/chain.wgsl"),
    ],
    parameters: ChainParameters::BLOCK,
    bindings: &[read("attention_mask"), read("input_values"), read("weights"), write("output_values")],
};

/// The parameter block of a chain whose sizes have been checked.
pub(super) fn block(chain: &Chain, shapes: &Shapes<'_>, rows: usize) -> Result<ChainParameters> {
    // Without attention, all rows can be treated as one sequence.
    let sequence = match chain.source {
        ChainSource::Attention { .. } => shapes.sequence,
        ChainSource::Rows { .. } => rows,
    };
    let mut block = ChainParameters {
        sequence: shapes.u32(sequence)?,
        input_width: shapes.u32(chain.input_width)?,
        output_width: shapes.u32(chain.width)?,
        place: shapes.u32(chain.source_place)?,
        column: optional(shapes, chain.source_column)?,
        scratch: shapes.u32(chain.scratch)?,
        count: shapes.u32(chain.linears.len())?,
        ..ChainParameters::default()
    };
    match chain.source {
        ChainSource::Attention { columns: [query, key, value], heads, head_size } => {
            block.heads = shapes.u32(heads)?;
            block.head_size = shapes.u32(head_size)?;
            block.query = shapes.u32(query)?;
            block.key = shapes.u32(key)?;
            block.value = shapes.u32(value)?;
        }
        ChainSource::Rows { column, features } => {
            block.head_size = shapes.u32(features)?;
            block.query = shapes.u32(column)?;
        }
    }
    for (to, linear) in block.linears.iter_mut().zip(&chain.linears) {
        *to = linear_block(chain, linear, shapes)?;
    }
    Ok(block)
}

fn linear_block(chain: &Chain, linear: &ChainLinear, shapes: &Shapes<'_>) -> Result<LinearBlock> {
    let weight = shapes.matrix(linear.weight)?;
    let words = |id: ParameterId| -> Result<usize> { Ok(shapes.parameter(id)?.offset / 4) };
    let start = words(linear.weight)?;
    let scales = start + weight.format.unit_bytes(weight.rows, weight.columns) / 4;
    let first = linear.outputs.start;
    let (mut residual_place, mut residual_column, mut residual_scale) = (NONE, NONE, NONE);
    if let Some(residual) = linear.residual {
        match residual.from {
            ChainOperand::Place(place) => residual_place = shapes.u32(place)?,
            ChainOperand::Column(column) => residual_column = shapes.u32(column)?,
        }
        residual_scale = residual.scale.map_or(Ok(NONE), |scale| shapes.u32(words(scale)?))?;
    }
    Ok(LinearBlock {
        input: shapes.u32(linear.input)?,
        in_features: shapes.u32(weight.columns)?,
        out_features: shapes.u32(linear.outputs.len())?,
        format: weight.format as u32,
        weight: shapes.u32(start / 4 + first)?,
        scales: shapes.u32(scales + first)?,
        groups: shapes.u32(2 * (scales + weight.rows) + first)?,
        bias: shapes.u32(words(linear.bias)? + first)?,
        activation: linear.activation as u32,
        residual_place,
        residual_column,
        residual_scale,
        place: optional(shapes, linear.place)?,
        column: optional(shapes, linear.column)?,
        splits: shapes.u32(splits(chain, weight.format, linear.outputs.len(), weight.columns))?,
        weight_rows: shapes.u32(weight.rows)?,
    })
}

fn optional(shapes: &Shapes<'_>, value: Option<usize>) -> Result<u32> {
    value.map_or(Ok(NONE), |value| shapes.u32(value))
}

/// Number of invocations that share the sums of two columns if there are fewer columns than invocations: each
/// sums a part of the row into scratch memory, and one of them adds up the parts.
fn splits(chain: &Chain, format: WeightFormat, columns: usize, depth: usize) -> usize {
    let pairs = columns.div_ceil(2);
    let idle = INVOCATIONS / pairs;
    let room = (MEMORY - chain.scratch) / (2 * pairs) + 1;
    idle.min(room).min(depth / format.unit()).max(1)
}

impl Dispatch for Chain {
    fn launch(&self, block: ChainParameters, shapes: &Shapes<'_>) -> Result<Launch> {
        let weights = self.linears.first().map(|linear| linear.weight);
        let weights = weights.ok_or_else(|| shapes.error("a chain without linears"))?;
        let operands = [Operand::AttentionMask, Operand::Buffer(self.input), Operand::Group(weights)];
        let group = shapes.parameter(weights)?.group;
        for parameter in crate::kernels::Operator::parameters(self) {
            if group.is_none() || shapes.parameter(parameter)?.group != group {
                return Err(shapes.error(format!("parameter {} is in another buffer", parameter.0)));
            }
        }
        let sequence = block.sequence as usize;
        let workgroups = [sequence.div_ceil(ROWS), self.rows(shapes)? / sequence, 1];
        Launch::new(shapes, &KERNEL, block, operands, workgroups)
    }
}
