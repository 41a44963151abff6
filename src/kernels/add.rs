//! `output = input + scale ∘ residual` over rows of `features`.

use super::{Kernel, parameter_block, read, write};

parameter_block! {
    /// Parameters of `add`.
    pub struct AddParameters {
        /// Number of elements.
        pub len: u32,
        /// Length of a row.
        pub features: u32,
        /// 1 where the residual is scaled.
        pub has_scale: u32,
    }
}

/// Table entry.
pub const KERNEL: Kernel = Kernel {
    name: "add",
    wgsl: include_str!("../../shaders/add.wgsl"),
    parameters: AddParameters::BLOCK,
    bindings: &[read("input_values"), read("residual"), read("scale"), write("output_values")],
};
