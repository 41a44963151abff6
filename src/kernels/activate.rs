//! `output = activation(input)`, element-wise.

use super::{Kernel, parameter_block, read, write};

parameter_block! {
    /// Parameters of `activate`.
    pub struct ActivateParameters {
        /// Number of elements.
        pub len: u32,
        /// Code of [`crate::plan::Activation`].
        pub activation: u32,
    }
}

/// Table entry.
pub const KERNEL: Kernel = Kernel {
    name: "activate",
    wgsl: include_str!("../../shaders/activate.wgsl"),
    parameters: ActivateParameters::BLOCK,
    bindings: &[read("input_values"), write("output_values")],
};
