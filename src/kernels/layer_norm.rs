//! `(x − mean) / √(variance + epsilon) ∘ weight + bias` over each row.

use super::{Kernel, parameter_block, read, write};

parameter_block! {
    /// Parameters of `layer_norm`.
    pub struct LayerNormParameters {
        /// Rows.
        pub rows: u32,
        /// Length of a row.
        pub features: u32,
        /// Added to the biased variance.
        pub epsilon: f32,
    }
}

/// Table entry.
pub const KERNEL: Kernel = Kernel {
    name: "layer_norm",
    wgsl: include_str!("../../shaders/layer_norm.wgsl"),
    parameters: LayerNormParameters::BLOCK,
    bindings: &[read("input_values"), read("weight"), read("bias"), write("output_values")],
};
