//! Word vectors by id, or with `trigram`, those of the next, this and the previous token concatenated. The
//! vector of [`PAD_ID`](super::PAD_ID), past the end of a text, is zero.

mod cpu;
mod gpu;

pub use cpu::run;

use super::cost::Cost;
use super::cost::gathered_bytes;
use super::operator::Operator;
use super::operator::RunInput;
use super::{BufferId, Kernel, ParameterId, Shapes, parameter_block, read, write};
use crate::error::Result;
use crate::kernels::wgsl::include_wgsl;

/// Word vectors by `input_ids`: `[rows, E]`, or with `trigram` `[x_{t+1}, x_t, x_{t−1}]`: `[rows, 3E]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding {
    /// Word vectors `[vocab_size, E]`.
    pub table: ParameterId,
    /// True if the neighbors' vectors are concatenated.
    pub trigram: bool,
}

parameter_block! {
    /// Parameters of `embedding`.
    pub struct EmbeddingParameters {
        /// Sequences.
        pub batch: u32,
        /// Tokens per sequence.
        pub sequence: u32,
        /// Length of a word vector.
        pub embedding_size: u32,
        /// 1 for three vectors per token, 0 for one.
        pub trigram: u32,
        /// Rows of the table. This field and the next are for the shader; the twin's table has its own.
        pub vocabulary_size: u32,
        /// Code of its [`super::WeightFormat`].
        pub table_format: u32,
    }
}

/// Table entry.
pub const KERNEL: Kernel = Kernel {
    name: "embedding",
    wgsl: &[
        include_wgsl!("../../../shaders/shared/unpack.wgsl"),
        include_wgsl!("../../../shaders/shared/embedding.wgsl"),
        include_wgsl!("../../../shaders/embedding.wgsl"),
    ],
    parameters: EmbeddingParameters::BLOCK,
    bindings: &[read("input_ids"), read("table"), write("output_values")],
};

impl Embedding {
    pub(super) fn width(&self, embedding_size: usize) -> usize {
        if self.trigram { 3 * embedding_size } else { embedding_size }
    }
}

impl Operator for Embedding {
    type Block = EmbeddingParameters;

    const KERNELS: &'static [&'static Kernel] = &[&KERNEL];

    fn reads_mut(&mut self) -> Vec<&mut BufferId> {
        Vec::new()
    }

    fn parameters(&self) -> Vec<ParameterId> {
        vec![self.table]
    }

    fn gathers(&self) -> Vec<(RunInput, ParameterId)> {
        vec![(RunInput::InputIds, self.table)]
    }

    fn block(&self, shapes: &Shapes<'_>) -> Result<Self::Block> {
        let table = shapes.matrix(self.table)?;
        shapes.result(shapes.rows() * self.width(table.columns))?;
        Ok(EmbeddingParameters {
            batch: shapes.u32(shapes.batch)?,
            sequence: shapes.u32(shapes.sequence)?,
            embedding_size: shapes.u32(table.columns)?,
            trigram: self.trigram.into(),
            vocabulary_size: shapes.u32(table.rows)?,
            table_format: table.format as u32,
        })
    }

    fn extent(&self, shapes: &Shapes<'_>) -> Result<Vec<usize>> {
        Ok(vec![shapes.rows(), self.width(shapes.matrix(self.table)?.columns)])
    }

    fn cost(&self, shapes: &Shapes<'_>, stored: &dyn Fn(ParameterId) -> u64) -> Result<Cost> {
        let rows = shapes.rows();
        let bytes = gathered_bytes(shapes, stored, self.table, rows)? + 4 * (rows + shapes.output_len) as u64;
        Ok(Cost { flops: 0, bytes })
    }
}
