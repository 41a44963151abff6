//! `softmax(q kᵀ + mask) v` for every head, without storing the probabilities. A row whose keys are all
//! masked is zeros.

mod cpu;
mod gpu;

pub use cpu::{AttentionOperands, run};

use mobilebert_compute::{AttentionShape, HeadRows};

use super::cost::Cost;
use super::operator::Operator;
use super::{BufferId, Columns, Kernel, ParameterId, Shapes, parameter_block, read, write};
use crate::error::Result;
use crate::kernels::wgsl::include_wgsl;

/// Attention in one kernel, without storing the probabilities: `[rows, heads · head_size]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Attention {
    /// `[rows, heads · head_size]`; already scaled by 1/√head_size.
    pub query: Columns,
    /// `[rows, heads · head_size]`.
    pub key: Columns,
    /// `[rows, heads · head_size]`.
    pub value: Columns,
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
        /// Distance between the query's rows in floats.
        pub query_stride: u32,
        /// Column of the first head's query.
        pub query_first: u32,
        /// As for the query.
        pub key_stride: u32,
        /// As for the query.
        pub key_first: u32,
        /// As for the query.
        pub value_stride: u32,
        /// As for the query.
        pub value_first: u32,
        /// 1 if every head's row starts at a multiple of four floats.
        pub aligned: u32,
    }
}

/// Table entry.
pub const KERNEL: Kernel = Kernel {
    name: "attention",
    wgsl: &[
        include_wgsl!("../../../shaders/shared/attention.wgsl"),
        include_wgsl!("../../../shaders/attention.wgsl"),
    ],
    parameters: AttentionParameters::BLOCK,
    bindings: &[read("attention_mask"), read("query"), read("key"), read("value"), write("output_values")],
};

impl AttentionParameters {
    /// The parameters for `heads` heads of size `head_size`; operands that a kernel doesn't read are `None`.
    pub(super) fn new(
        shapes: &Shapes<'_>,
        [heads, head_size]: [usize; 2],
        operands: [Option<&Columns>; 3],
    ) -> Result<Self> {
        let mut aligned = head_size.is_multiple_of(4);
        let [query, key, value] = operands.map(|operand| match operand {
            None => Ok([0; 2]),
            Some(columns) => {
                shapes.columns(columns, shapes.rows(), heads * head_size)?;
                aligned &= columns.stride.is_multiple_of(4) && columns.first.is_multiple_of(4);
                Ok([shapes.u32(columns.stride)?, shapes.u32(columns.first)?])
            }
        });
        let ([query_stride, query_first], [key_stride, key_first], [value_stride, value_first]) =
            (query?, key?, value?);
        Ok(AttentionParameters {
            batch: shapes.u32(shapes.batch)?,
            sequence: shapes.u32(shapes.sequence)?,
            heads: shapes.u32(heads)?,
            head_size: shapes.u32(head_size)?,
            query_stride,
            query_first,
            key_stride,
            key_first,
            value_stride,
            value_first,
            aligned: aligned.into(),
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

    pub(super) fn query<'a>(&self, values: &'a [f32]) -> HeadRows<'a> {
        HeadRows::new(values, self.query_stride, self.query_first)
    }

    pub(super) fn key<'a>(&self, values: &'a [f32]) -> HeadRows<'a> {
        HeadRows::new(values, self.key_stride, self.key_first)
    }

    pub(super) fn value<'a>(&self, values: &'a [f32]) -> HeadRows<'a> {
        HeadRows::new(values, self.value_stride, self.value_first)
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
        self.columns_mut().into_iter().map(|columns| &mut columns.buffer).collect()
    }

    fn columns_mut(&mut self) -> Vec<&mut Columns> {
        vec![&mut self.query, &mut self.key, &mut self.value]
    }

    fn block(&self, shapes: &Shapes<'_>) -> Result<Self::Block> {
        shapes.result(shapes.rows() * self.width())?;
        let operands = [&self.query, &self.key, &self.value].map(Some);
        AttentionParameters::new(shapes, [self.heads, self.head_size], operands)
    }

    fn extent(&self, shapes: &Shapes<'_>) -> Result<Vec<usize>> {
        Ok(vec![shapes.rows(), self.width()])
    }

    fn cost(&self, shapes: &Shapes<'_>, stored: &dyn Fn(ParameterId) -> u64) -> Result<Cost> {
        let pairs = shapes.rows() * shapes.sequence;
        let cost = Cost::of(self, shapes, stored, shapes.rows())?;
        let cost = cost.without_other_columns(shapes, self, self.width())?;
        Ok(cost.with_multiply_adds(2 * pairs * self.width()))
    }
}
