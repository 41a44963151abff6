//! The rows of [`Embedding`] and of [`Position`] side by side: everything gathered from tables, in one
//! kernel.

mod cpu;
mod gpu;

pub use gpu::KERNEL;

use super::cost::Cost;
use super::embedding::EmbeddingParameters;
use super::operator::{Operator, RunInput};
use super::position::PositionParameters;
use super::{BufferId, Embedding, Kernel, ParameterId, Position, Shapes, parameter_block};
use crate::error::Result;

/// `[embedding | position]`, each row as wide as both.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbeddingPosition {
    /// The first columns.
    pub embedding: Embedding,
    /// The others; has no input.
    pub position: Position,
}

parameter_block! {
    /// Parameters of `embedding_position`, named as in both parts.
    pub struct EmbeddingPositionParameters {
        /// Sequences.
        pub batch: u32,
        /// Tokens per sequence.
        pub sequence: u32,
        /// Length of a word vector.
        pub embedding_size: u32,
        /// 1 for three vectors per token, 0 for one.
        pub trigram: u32,
        /// Rows of the word table.
        pub vocabulary_size: u32,
        /// Code of its [`super::WeightFormat`].
        pub table_format: u32,
        /// Length of a position's vector.
        pub hidden_size: u32,
        /// 1 if there are token types.
        pub has_token_type: u32,
        /// Rows of the position table.
        pub positions: u32,
        /// Rows of the token type table.
        pub token_types: u32,
        /// Code of the [`super::WeightFormat`] of the positions.
        pub position_format: u32,
        /// Code of the [`super::WeightFormat`] of the token types.
        pub token_type_format: u32,
    }
}

impl EmbeddingPosition {
    /// Columns of both parts.
    fn widths(&self, shapes: &Shapes<'_>) -> Result<[usize; 2]> {
        let words = self.embedding.width(shapes.matrix(self.embedding.table)?.columns);
        Ok([words, shapes.matrix(self.position.position)?.columns])
    }

    /// The blocks of both parts.
    fn blocks(&self, shapes: &Shapes<'_>) -> Result<(EmbeddingParameters, PositionParameters)> {
        let [words, places] = self.widths(shapes)?;
        let of_width = |width| Shapes { output_len: shapes.rows() * width, ..*shapes };
        Ok((self.embedding.block(&of_width(words))?, self.position.block(&of_width(places))?))
    }
}

impl Operator for EmbeddingPosition {
    type Block = EmbeddingPositionParameters;

    const KERNELS: &'static [&'static Kernel] = &[&KERNEL];

    fn reads_mut(&mut self) -> Vec<&mut BufferId> {
        self.position.reads_mut()
    }

    fn parameters(&self) -> Vec<ParameterId> {
        let mut parameters = self.embedding.parameters();
        parameters.extend(self.position.parameters());
        parameters
    }

    fn gathers(&self) -> Vec<(RunInput, ParameterId)> {
        let mut tables = self.embedding.gathers();
        tables.extend(self.position.gathers());
        tables
    }

    fn block(&self, shapes: &Shapes<'_>) -> Result<Self::Block> {
        let (embedding, position) = self.blocks(shapes)?;
        shapes.result(shapes.rows() * self.widths(shapes)?.iter().sum::<usize>())?;
        if self.position.input.is_some() {
            return Err(shapes.error("its positions have an input"));
        }
        Ok(EmbeddingPositionParameters {
            batch: embedding.batch,
            sequence: embedding.sequence,
            embedding_size: embedding.embedding_size,
            trigram: embedding.trigram,
            vocabulary_size: embedding.vocabulary_size,
            table_format: embedding.table_format,
            hidden_size: position.hidden_size,
            has_token_type: position.has_token_type,
            positions: position.positions,
            token_types: position.token_types,
            position_format: position.position_format,
            token_type_format: position.token_type_format,
        })
    }

    fn extent(&self, shapes: &Shapes<'_>) -> Result<Vec<usize>> {
        Ok(vec![shapes.rows(), self.widths(shapes)?.iter().sum()])
    }

    fn cost(&self, shapes: &Shapes<'_>, stored: &dyn Fn(ParameterId) -> u64) -> Result<Cost> {
        let [words, places] = self.widths(shapes)?;
        let of_width = |width| Shapes { output_len: shapes.rows() * width, ..*shapes };
        let words = self.embedding.cost(&of_width(words), stored)?;
        let places = self.position.cost(&of_width(places), stored)?;
        Ok(Cost { flops: 0, bytes: words.bytes + places.bytes })
    }
}
