//! `probabilities · v` for every head.

use super::attention::AttentionParameters;
use super::heads::Scratch;
use super::workers::Workers;
use super::{Kernel, read, write};

/// Table entry.
pub const KERNEL: Kernel = Kernel {
    name: "attention_context",
    wgsl: include_str!("../../shaders/attention_context.wgsl"),
    parameters: AttentionParameters::BLOCK,
    bindings: &[read("probabilities"), read("value"), write("output_values")],
};

/// The CPU twin: `probabilities` is `[batch, heads, sequence, sequence]`, `value` and `output_values` are
/// `[batch · sequence, heads · head_size]`.
pub fn run(
    parameters: &AttentionParameters,
    probabilities: &[f32],
    value: &[f32],
    output_values: &mut [f32],
    scratch: &mut Scratch,
    workers: &Workers,
) {
    parameters.heads().context(probabilities, value, output_values, scratch, workers);
}
