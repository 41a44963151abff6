//! `output = input + position[t] + token_type[type_id]`, each of input and token type optional.

use super::{Kernel, parameter_block, read, write};

parameter_block! {
    /// Parameters of `position`.
    pub struct PositionParameters {
        /// Sequences.
        pub batch: u32,
        /// Tokens a sequence.
        pub sequence: u32,
        /// Length of a row.
        pub hidden_size: u32,
        /// 1 where there is an input.
        pub has_input: u32,
        /// 1 where there are token types.
        pub has_token_type: u32,
    }
}

/// Table entry.
pub const KERNEL: Kernel = Kernel {
    name: "position",
    wgsl: include_str!("../../shaders/position.wgsl"),
    parameters: PositionParameters::BLOCK,
    bindings: &[
        read("token_type_ids"),
        read("input_values"),
        read("position"),
        read("token_type"),
        write("output_values"),
    ],
};
