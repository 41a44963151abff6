//! `softmax(q kᵀ + mask)` for every head: `[batch, heads, sequence, sequence]`. A row whose keys are all masked is zeros.

use super::attention::AttentionParameters;
use super::heads::Scratch;
use super::workers::Workers;
use super::{Kernel, read, write};

/// Table entry.
pub const KERNEL: Kernel = Kernel {
    name: "attention_probabilities",
    wgsl: concat!(
        include_str!("../../shaders/shared/reduction.wgsl"),
        include_str!("../../shaders/attention_probabilities.wgsl")
    ),
    parameters: AttentionParameters::BLOCK,
    bindings: &[read("attention_mask"), read("query"), read("key"), write("output_values")],
};

/// What the CPU twin reads, by the names of the bindings.
#[derive(Clone, Copy, Debug)]
pub struct AttentionProbabilitiesOperands<'a> {
    /// `[batch, sequence]`: 0 where a key is not attended to.
    pub attention_mask: &'a [u32],
    /// `[batch · sequence, heads · head_size]`, scaled already.
    pub query: &'a [f32],
    /// `[batch · sequence, heads · head_size]`.
    pub key: &'a [f32],
}

/// The CPU twin; `output_values` is `[batch, heads, sequence, sequence]`.
pub fn run(
    parameters: &AttentionParameters,
    operands: &AttentionProbabilitiesOperands<'_>,
    output_values: &mut [f32],
    scratch: &mut Scratch,
    workers: &Workers,
) {
    let AttentionProbabilitiesOperands { attention_mask, query, key } = *operands;
    parameters.heads().probabilities(attention_mask, query, key, output_values, scratch, workers);
}
