//! The CPU twin.

use super::{Embedding, EmbeddingParameters};
use crate::error::Result;
use crate::kernels::host::Host;
use crate::kernels::operator::Twin;
use crate::kernels::{PAD_ID, Scratch, Table, Workers};

impl Twin for Embedding {
    fn compute(
        &self,
        block: &EmbeddingParameters,
        host: &Host<'_>,
        output: &mut [f32],
        _: &mut Scratch,
    ) -> Result<()> {
        run(block, &host.inputs.input_ids, host.table(self.table)?, output, host.workers);
        Ok(())
    }
}

/// The CPU twin; `table` is `[vocabulary, embedding_size]`, and every id is below `vocabulary` or [`PAD_ID`].
pub fn run(
    parameters: &EmbeddingParameters,
    input_ids: &[u32],
    table: &Table,
    output_values: &mut [f32],
    workers: &Workers,
) {
    let size = parameters.embedding_size as usize;
    let sequence = parameters.sequence as usize;
    let parts = if parameters.trigram != 0 { 3 } else { 1 };
    let output = &mut output_values[..parameters.batch as usize * sequence * parts * size];
    workers.for_each_rows(output, parts * size, |first_row, output| {
        for (index, row) in output.chunks_exact_mut(parts * size).enumerate() {
            let token = first_row + index;
            let position = token % sequence;
            let next = if position + 1 < sequence { input_ids[token + 1] } else { PAD_ID };
            let previous = if position > 0 { input_ids[token - 1] } else { PAD_ID };
            let ids =
                if parts == 3 { &[next, input_ids[token], previous][..] } else { &[input_ids[token]][..] };
            for (to, &id) in row.chunks_exact_mut(size).zip(ids) {
                match id {
                    PAD_ID => to.fill(0.0),
                    id => table.copy_row(id as usize, to),
                }
            }
        }
    });
}
