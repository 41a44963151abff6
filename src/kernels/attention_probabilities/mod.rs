//! `softmax(q kᵀ + mask)` for every head: `[batch, heads, sequence, sequence]`. A row whose keys are all masked is zeros.

mod cpu;
mod gpu;

pub use cpu::{AttentionProbabilitiesOperands, run};

use super::attention::AttentionParameters;
use super::cost::Cost;
use super::operator::Operator;
use super::{BufferId, Columns, Kernel, ParameterId, Shapes, read, write};
use crate::error::Result;
use crate::kernels::wgsl::include_wgsl;

/// `softmax(q kᵀ + mask)`: `[batch, heads, sequence, sequence]`. The query is already scaled.
#[derive(Clone, Debug, PartialEq)]
pub struct AttentionProbabilities {
    /// `[rows, heads · head_size]`.
    pub query: Columns,
    /// `[rows, heads · head_size]`.
    pub key: Columns,
    /// Number of heads.
    pub heads: usize,
    /// Width of a head.
    pub head_size: usize,
}

/// Table entry.
pub const KERNEL: Kernel = Kernel {
    name: "attention_probabilities",
    wgsl: &[
        include_wgsl!("../../../shaders/shared/attention.wgsl"),
        include_wgsl!("../../../shaders/shared/reduction.wgsl"),
        include_wgsl!("../../../shaders/attention_probabilities.wgsl"),
    ],
    parameters: AttentionParameters::BLOCK,
    bindings: &[read("attention_mask"), read("query"), read("key"), write("output_values")],
};

impl Operator for AttentionProbabilities {
    type Block = AttentionParameters;

    const KERNELS: &'static [&'static Kernel] = &[&KERNEL];

    fn reads_mut(&mut self) -> Vec<&mut BufferId> {
        self.columns_mut().into_iter().map(|columns| &mut columns.buffer).collect()
    }

    fn columns_mut(&mut self) -> Vec<&mut Columns> {
        vec![&mut self.query, &mut self.key]
    }

    fn block(&self, shapes: &Shapes<'_>) -> Result<Self::Block> {
        shapes.result(shapes.rows() * self.heads * shapes.sequence)?;
        let operands = [Some(&self.query), Some(&self.key), None];
        AttentionParameters::new(shapes, [self.heads, self.head_size], operands)
    }

    fn extent(&self, shapes: &Shapes<'_>) -> Result<Vec<usize>> {
        Ok(vec![shapes.batch, self.heads, shapes.sequence, shapes.sequence])
    }

    fn cost(&self, shapes: &Shapes<'_>, stored: &dyn Fn(ParameterId) -> u64) -> Result<Cost> {
        let pairs = shapes.rows() * shapes.sequence;
        let cost = Cost::of(self, shapes, stored, shapes.rows())?;
        let cost = cost.without_other_columns(shapes, self, self.heads * self.head_size)?;
        Ok(cost.with_multiply_adds(pairs * self.heads * self.head_size))
    }
}
