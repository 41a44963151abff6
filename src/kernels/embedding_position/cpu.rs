//! The CPU twin: runs both twins and copies their rows.

use super::{EmbeddingPosition, EmbeddingPositionParameters};
use crate::error::Result;
use crate::kernels::Scratch;
use crate::kernels::embedding::{self, EmbeddingParameters};
use crate::kernels::host::Host;
use crate::kernels::operator::Twin;
use crate::kernels::position::{self, PositionOperands, PositionParameters};

impl Twin for EmbeddingPosition {
    fn compute(
        &self,
        block: &EmbeddingPositionParameters,
        host: &Host<'_>,
        output: &mut [f32],
        _: &mut Scratch,
    ) -> Result<()> {
        let rows = (block.batch * block.sequence) as usize;
        let positions = block.hidden_size as usize;
        let words = output.len() / rows - positions;
        let mut buffer = vec![0.0; rows * words.max(positions)];
        let mut copy = |from: &[f32], column: usize, width: usize| {
            for (row, from) in output.chunks_exact_mut(words + positions).zip(from.chunks_exact(width)) {
                row[column..column + width].copy_from_slice(from);
            }
        };
        let parameters = EmbeddingParameters {
            batch: block.batch,
            sequence: block.sequence,
            embedding_size: block.embedding_size,
            trigram: block.trigram,
            ..EmbeddingParameters::default()
        };
        let table = host.table(self.embedding.table)?;
        embedding::run(&parameters, &host.inputs.input_ids, table, &mut buffer, host.workers);
        copy(&buffer[..rows * words], 0, words);

        let operands = PositionOperands {
            token_type_ids: &host.inputs.token_type_ids,
            input_values: &[],
            position: host.table(self.position.position)?,
            token_type: self.position.token_type.map(|table| host.table(table)).transpose()?,
        };
        let parameters = PositionParameters {
            batch: block.batch,
            sequence: block.sequence,
            hidden_size: block.hidden_size,
            ..PositionParameters::default()
        };
        position::run(&parameters, &operands, &mut buffer, host.workers);
        copy(&buffer[..rows * positions], words, positions);
        Ok(())
    }
}
