//! `softmax(q kᵀ + mask) v` for every head, without the probabilities in memory. A row whose keys are all masked is zeros.

use super::heads::{Heads, Scratch};
use super::workers::Workers;
use super::{Kernel, parameter_block, read, write};

parameter_block! {
    /// Parameters of `attention`, `attention_context` and `attention_probabilities`.
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

impl AttentionParameters {
    pub(super) fn heads(&self) -> Heads {
        Heads {
            batch: self.batch as usize,
            sequence: self.sequence as usize,
            heads: self.heads as usize,
            head_size: self.head_size as usize,
        }
    }
}

/// What the CPU twin reads, by the names of the bindings.
#[derive(Clone, Copy, Debug)]
pub struct AttentionOperands<'a> {
    /// `[batch, sequence]`: 0 where a key is not attended to.
    pub attention_mask: &'a [u32],
    /// `[batch · sequence, heads · head_size]`, scaled already.
    pub query: &'a [f32],
    /// `[batch · sequence, heads · head_size]`.
    pub key: &'a [f32],
    /// `[batch · sequence, heads · head_size]`.
    pub value: &'a [f32],
}

/// The CPU twin; `output_values` is `[batch · sequence, heads · head_size]`.
pub fn run(
    parameters: &AttentionParameters,
    operands: &AttentionOperands<'_>,
    output_values: &mut [f32],
    scratch: &mut Scratch,
    workers: &Workers,
) {
    let matrices = [operands.query, operands.key, operands.value];
    parameters.heads().attention(operands.attention_mask, matrices, output_values, scratch, workers);
}
