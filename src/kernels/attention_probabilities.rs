//! `softmax(q kᵀ + mask)` for every head: `[batch, heads, sequence, sequence]`. A row whose keys are all masked is zeros.

use super::{Kernel, parameter_block, read, write};

parameter_block! {
    /// Parameters of `attention_probabilities`.
    pub struct AttentionProbabilitiesParameters {
        /// Sequences.
        pub batch: u32,
        /// Tokens a sequence.
        pub sequence: u32,
        /// Attention heads.
        pub heads: u32,
        /// Width of a head.
        pub head_size: u32,
    }
}

/// Table entry.
pub const KERNEL: Kernel = Kernel {
    name: "attention_probabilities",
    wgsl: include_str!("../../shaders/attention_probabilities.wgsl"),
    parameters: AttentionProbabilitiesParameters::BLOCK,
    bindings: &[read("attention_mask"), read("query"), read("key"), write("output_values")],
};
