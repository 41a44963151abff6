//! The dispatch.

use super::{Add, KERNEL};
use crate::error::Result;
use crate::kernels::Shapes;
use crate::kernels::launch::{Launch, Operand, flat};

pub(super) fn launch(operator: &Add, shapes: &Shapes<'_>) -> Result<Launch> {
    let block = operator.block(shapes)?;
    let operands = [
        Operand::Buffer(operator.input),
        Operand::Buffer(operator.residual.buffer),
        operator.residual.scale.map_or(Operand::Buffer(operator.input), Operand::Parameter),
    ];
    Launch::new(shapes, &KERNEL, block, operands, flat(shapes.output_len))
}
