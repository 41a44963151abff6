//! `probabilities · v` for every head.

use super::{Kernel, parameter_block, read, write};

parameter_block! {
    /// Parameters of `attention_context`.
    pub struct AttentionContextParameters {
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
    name: "attention_context",
    wgsl: include_str!("../../shaders/attention_context.wgsl"),
    parameters: AttentionContextParameters::BLOCK,
    bindings: &[read("probabilities"), read("value"), write("output_values")],
};
