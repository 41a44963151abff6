//! `probabilities · v` for every head.

use super::heads::{Heads, Scratch};
use super::workers::Workers;
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

impl AttentionContextParameters {
    fn heads(&self) -> Heads {
        Heads {
            batch: self.batch as usize,
            sequence: self.sequence as usize,
            heads: self.heads as usize,
            head_size: self.head_size as usize,
        }
    }
}

/// The CPU twin: `probabilities` is `[batch, heads, sequence, sequence]`, `value` and `output_values` are
/// `[batch · sequence, heads · head_size]`.
pub fn run(
    parameters: &AttentionContextParameters,
    probabilities: &[f32],
    value: &[f32],
    output_values: &mut [f32],
    scratch: &mut Scratch,
    workers: &Workers,
) {
    parameters.heads().context(probabilities, value, output_values, scratch, workers);
}
