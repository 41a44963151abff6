//! `output = activation(input · weightᵀ + bias) + scale ∘ residual`.

use super::{Kernel, parameter_block, read, write};

parameter_block! {
    /// Parameters of `linear`.
    pub struct LinearParameters {
        /// Rows computed.
        pub rows: u32,
        /// Length of an input row.
        pub in_features: u32,
        /// Length of an output row.
        pub out_features: u32,
        /// Distance of input rows in floats.
        pub row_stride: u32,
        /// Code of [`crate::plan::Activation`].
        pub activation: u32,
        /// 1 where a residual is added.
        pub has_residual: u32,
        /// 1 where the residual is scaled.
        pub has_scale: u32,
    }
}

/// Table entry.
pub const KERNEL: Kernel = Kernel {
    name: "linear",
    wgsl: include_str!("../../shaders/linear.wgsl"),
    parameters: LinearParameters::BLOCK,
    bindings: &[
        read("input_values"),
        read("weight"),
        read("bias"),
        read("residual"),
        read("scale"),
        write("output_values"),
    ],
};
