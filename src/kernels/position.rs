//! `output = input + position[t] + token_type[type_id]`, each of input and token type optional.

use super::workers::Workers;
use super::{Kernel, functions, parameter_block, read, write};

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

/// What the CPU twin reads, by the names of the bindings.
#[derive(Clone, Copy, Debug)]
pub struct PositionOperands<'a> {
    /// `[batch, sequence]`, each below the number of token types; unread without token types.
    pub token_type_ids: &'a [u32],
    /// `[batch · sequence, hidden_size]` where there is an input.
    pub input_values: &'a [f32],
    /// `[positions, hidden_size]`, at least `sequence` of them.
    pub position: &'a [f32],
    /// `[types, hidden_size]` where there are token types.
    pub token_type: &'a [f32],
}

/// The CPU twin.
pub fn run(
    parameters: &PositionParameters,
    operands: &PositionOperands<'_>,
    output_values: &mut [f32],
    workers: &Workers,
) {
    let size = parameters.hidden_size as usize;
    let sequence = parameters.sequence as usize;
    let output = &mut output_values[..parameters.batch as usize * sequence * size];
    workers.rows(output, size, |first_row, output| {
        for (index, row) in output.chunks_exact_mut(size).enumerate() {
            let token = first_row + index;
            let position = &operands.position[token % sequence * size..][..size];
            if parameters.has_input != 0 {
                row.copy_from_slice(&operands.input_values[token * size..][..size]);
                functions::add(row, position);
            } else {
                row.copy_from_slice(position);
            }
            if parameters.has_token_type != 0 {
                let token_type = operands.token_type_ids[token] as usize;
                functions::add(row, &operands.token_type[token_type * size..][..size]);
            }
        }
    });
}
