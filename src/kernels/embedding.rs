//! Word vectors by id, or with `trigram` those of the next, this and the previous token side by side. An id of `u32::MAX`
//! stands past the end of a text and gives zeros.

use super::table::Table;
use super::workers::Workers;
use super::{Kernel, parameter_block, read, write};
use crate::plan::PAST_THE_END;

parameter_block! {
    /// Parameters of `embedding`.
    pub struct EmbeddingParameters {
        /// Sequences.
        pub batch: u32,
        /// Tokens a sequence.
        pub sequence: u32,
        /// Length of a word vector.
        pub embedding_size: u32,
        /// 1 for three vectors a token, 0 for one.
        pub trigram: u32,
        /// Rows of the table. This and the next are for the shader; the twin's [`Table`] knows them itself.
        pub vocabulary_size: u32,
        /// 1 where the table is in 8 bits.
        pub in_bytes: u32,
    }
}

/// Table entry.
pub const KERNEL: Kernel = Kernel {
    name: "embedding",
    wgsl: concat!(
        include_str!("../../shaders/shared/bytes.wgsl"),
        include_str!("../../shaders/embedding.wgsl")
    ),
    parameters: EmbeddingParameters::BLOCK,
    bindings: &[read("input_ids"), read("table"), write("output_values")],
};

/// The CPU twin; `table` is `[vocabulary, embedding_size]` and every id below its rows or [`PAST_THE_END`].
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
    workers.rows(output, parts * size, |first_row, output| {
        for (index, row) in output.chunks_exact_mut(parts * size).enumerate() {
            let token = first_row + index;
            let position = token % sequence;
            let next = if position + 1 < sequence { input_ids[token + 1] } else { PAST_THE_END };
            let previous = if position > 0 { input_ids[token - 1] } else { PAST_THE_END };
            let ids =
                if parts == 3 { &[next, input_ids[token], previous][..] } else { &[input_ids[token]][..] };
            for (to, &id) in row.chunks_exact_mut(size).zip(ids) {
                match id {
                    PAST_THE_END => to.fill(0.0),
                    id => table.copy_row(id as usize, to),
                }
            }
        }
    });
}
