//! The dispatch.

use super::{KERNEL, Position};
use crate::error::Result;
use crate::kernels::Shapes;
use crate::kernels::launch::{Launch, Operand, flat};

pub(super) fn launch(operator: &Position, shapes: &Shapes<'_>) -> Result<Launch> {
    let block = operator.block(shapes)?;
    let position = Operand::Parameter(operator.position);
    let operands = [
        Operand::TokenTypeIds,
        operator.input.map_or(position, Operand::Buffer),
        position,
        operator.token_type.map_or(position, Operand::Parameter),
    ];
    Launch::new(shapes, &KERNEL, block, operands, flat(shapes.output_len))
}
