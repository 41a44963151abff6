//! `output = input + position[t] + token_type[type_id]`, each of input and token type optional.

use super::table::Table;
use super::workers::Workers;
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
        /// Rows of the table of positions. This and what follows are for the shader; a twin's [`Table`] knows them itself.
        pub positions: u32,
        /// Rows of the table of token types.
        pub token_types: u32,
        /// 1 where the table of positions is in 8 bits.
        pub position_in_bytes: u32,
        /// 1 where the table of token types is in 8 bits.
        pub token_type_in_bytes: u32,
    }
}

/// Table entry.
pub const KERNEL: Kernel = Kernel {
    name: "position",
    wgsl: concat!(
        include_str!("../../shaders/shared/bytes.wgsl"),
        include_str!("../../shaders/position.wgsl")
    ),
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
    pub position: &'a Table,
    /// `[types, hidden_size]` where there are token types.
    pub token_type: Option<&'a Table>,
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
            let position = token % sequence;
            if parameters.has_input != 0 {
                row.copy_from_slice(&operands.input_values[token * size..][..size]);
                operands.position.add_row(position, row);
            } else {
                operands.position.copy_row(position, row);
            }
            if let Some(token_type) = operands.token_type {
                token_type.add_row(operands.token_type_ids[token] as usize, row);
            }
        }
    });
}
