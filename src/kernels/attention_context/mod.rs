//! `probabilities · v` for every head.

mod cpu;
mod gpu;

pub use cpu::run;

use super::attention::AttentionParameters;
use super::cost::Cost;
use super::operator::Operator;
use super::{BufferId, Columns, Kernel, ParameterId, Shapes, read, write};
use crate::error::Result;
use crate::kernels::wgsl::include_wgsl;

/// `probabilities · v`: `[rows, heads · head_size]`.
#[derive(Clone, Debug, PartialEq)]
pub struct AttentionContext {
    /// `[batch, heads, sequence, sequence]`.
    pub probabilities: BufferId,
    /// `[rows, heads · head_size]`.
    pub value: Columns,
    /// Number of heads.
    pub heads: usize,
    /// Width of a head.
    pub head_size: usize,
}

/// Table entry.
pub const KERNEL: Kernel = Kernel {
    name: "attention_context",
    wgsl: &[
        include_wgsl!("../../../shaders/shared/attention.wgsl"),
        include_wgsl!("../../../shaders/attention_context.wgsl"),
    ],
    parameters: AttentionParameters::BLOCK,
    bindings: &[read("probabilities"), read("value"), write("output_values")],
};

impl AttentionContext {
    fn width(&self) -> usize {
        self.heads * self.head_size
    }
}

impl Operator for AttentionContext {
    type Block = AttentionParameters;

    const KERNELS: &'static [&'static Kernel] = &[&KERNEL];

    fn reads_mut(&mut self) -> Vec<&mut BufferId> {
        vec![&mut self.probabilities, &mut self.value.buffer]
    }

    fn columns_mut(&mut self) -> Vec<&mut Columns> {
        vec![&mut self.value]
    }

    fn block(&self, shapes: &Shapes<'_>) -> Result<Self::Block> {
        shapes.buffer(self.probabilities, shapes.rows() * self.heads * shapes.sequence)?;
        shapes.result(shapes.rows() * self.width())?;
        AttentionParameters::new(shapes, [self.heads, self.head_size], [None, None, Some(&self.value)])
    }

    fn extent(&self, shapes: &Shapes<'_>) -> Result<Vec<usize>> {
        Ok(vec![shapes.rows(), self.width()])
    }

    fn cost(&self, shapes: &Shapes<'_>, stored: &dyn Fn(ParameterId) -> u64) -> Result<Cost> {
        let pairs = shapes.rows() * shapes.sequence;
        let cost = Cost::of(self, shapes, stored, 0)?;
        let cost = cost.without_other_columns(shapes, self, self.width())?;
        Ok(cost.with_multiply_adds(pairs * self.width()))
    }
}
