//! Word vectors by id, or with `trigram` those of the next, this and the previous token side by side. An id of `u32::MAX` stands past the end of a text and gives zeros.

use super::{Kernel, parameter_block, read, write};

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
    }
}

/// Table entry.
pub const KERNEL: Kernel = Kernel {
    name: "embedding",
    wgsl: include_str!("../../shaders/embedding.wgsl"),
    parameters: EmbeddingParameters::BLOCK,
    bindings: &[read("input_ids"), read("table"), write("output_values")],
};
