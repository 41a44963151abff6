//! The CPU twin.

use super::{Position, PositionParameters};
use crate::error::Result;
use crate::kernels::host::Host;
use crate::kernels::operator::Twin;
use crate::kernels::{Scratch, Table, Workers};

impl Twin for Position {
    fn compute(
        &self,
        block: &PositionParameters,
        host: &Host<'_>,
        output: &mut [f32],
        _: &mut Scratch,
    ) -> Result<()> {
        let operands = PositionOperands {
            token_type_ids: &host.inputs.token_type_ids,
            input_values: host.optional_buffer(self.input)?,
            position: host.table(self.position)?,
            token_type: self.token_type.map(|table| host.table(table)).transpose()?,
        };
        run(block, &operands, output, host.workers);
        Ok(())
    }
}

/// The CPU twin's operands, named after the bindings.
#[derive(Clone, Copy, Debug)]
pub struct PositionOperands<'a> {
    /// `[batch, sequence]`, each below the number of token types; unread without token types.
    pub token_type_ids: &'a [u32],
    /// `[batch · sequence, hidden_size]` if there is an input.
    pub input_values: &'a [f32],
    /// `[positions, hidden_size]`, at least `sequence` of them.
    pub position: &'a Table,
    /// `[types, hidden_size]` if there are token types.
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
    workers.for_each_rows(output, size, |first_row, output| {
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
