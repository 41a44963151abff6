//! `softmax(q kᵀ + mask) v` for every head, without the probabilities in memory. A row whose keys are all
//! masked is zeros.

mod cpu;
mod gpu;

pub use cpu::{AttentionOperands, run};

use super::cost::Cost;
use super::heads::AttentionShape;
use super::operator::Operator;
use super::{BufferId, Kernel, ParameterId, Shapes, parameter_block, read, write};
use crate::error::Result;
use crate::kernels::wgsl::include_wgsl;

/// Attention in one kernel, without the probabilities in memory: `[rows, heads · head_size]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Attention {
    /// `[rows, heads · head_size]`; already scaled by 1/√head_size.
    pub query: BufferId,
    /// `[rows, heads · head_size]`.
    pub key: BufferId,
    /// `[rows, heads · head_size]`.
    pub value: BufferId,
    /// Number of heads.
    pub heads: usize,
    /// Width of a head.
    pub head_size: usize,
}

parameter_block! {
    /// Parameters of `attention`, `attention_context` and `attention_probabilities`.
    pub struct AttentionParameters {
        /// Sequences.
        pub batch: u32,
        /// Tokens per sequence.
        pub sequence: u32,
        /// Attention heads.
        pub heads: u32,
        /// Width of a head.
        pub head_size: u32,
    }
}

/// Table entry.
pub const KERNEL: Kernel = Kernel {
    name: "attention",
    wgsl: &[include_wgsl!("../../../shaders/attention.wgsl")],
    parameters: AttentionParameters::BLOCK,
    bindings: &[read("attention_mask"), read("query"), read("key"), read("value"), write("output_values")],
};

impl AttentionParameters {
    /// Of an attention of `heads` heads of `head_size`.
    pub(super) fn new(shapes: &Shapes<'_>, heads: usize, head_size: usize) -> Result<Self> {
        Ok(AttentionParameters {
            batch: shapes.u32(shapes.batch)?,
            sequence: shapes.u32(shapes.sequence)?,
            heads: shapes.u32(heads)?,
            head_size: shapes.u32(head_size)?,
        })
    }

    pub(super) fn shape(&self) -> AttentionShape {
        AttentionShape {
            batch: self.batch as usize,
            sequence: self.sequence as usize,
            heads: self.heads as usize,
            head_size: self.head_size as usize,
        }
    }
}

impl Attention {
    fn width(&self) -> usize {
        self.heads * self.head_size
    }
}

impl Operator for Attention {
    type Block = AttentionParameters;

    const KERNELS: &'static [&'static Kernel] = &[&KERNEL];

    fn reads_mut(&mut self) -> Vec<&mut BufferId> {
        vec![&mut self.query, &mut self.key, &mut self.value]
    }

    fn block(&self, shapes: &Shapes<'_>) -> Result<Self::Block> {
        for operand in [self.query, self.key, self.value] {
            shapes.buffer(operand, shapes.rows() * self.width())?;
        }
        shapes.result(shapes.rows() * self.width())?;
        AttentionParameters::new(shapes, self.heads, self.head_size)
    }

    fn extent(&self, shapes: &Shapes<'_>) -> Result<Vec<usize>> {
        Ok(vec![shapes.rows(), self.width()])
    }

    fn cost(&self, shapes: &Shapes<'_>, stored: &dyn Fn(ParameterId) -> u64) -> Result<Cost> {
        let pairs = shapes.rows() * shapes.sequence;
        let cost = Cost::of(self, shapes, stored, shapes.rows())?;
        Ok(cost.with_multiply_adds(2 * pairs * self.width()))
    }
}
