//! `softmax(q kᵀ + mask) v` for every head, without the probabilities in memory. A row whose keys are all masked is zeros.

use super::{Kernel, parameter_block, read, write};

parameter_block! {
    /// Parameters of `attention`.
    pub struct AttentionParameters {
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
    name: "attention",
    wgsl: include_str!("../../shaders/attention.wgsl"),
    parameters: AttentionParameters::BLOCK,
    bindings: &[read("attention_mask"), read("query"), read("key"), read("value"), write("output_values")],
};
