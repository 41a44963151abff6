//! The dispatch.

use super::{KERNEL, LayerNorm};
use crate::error::Result;
use crate::kernels::Shapes;
use crate::kernels::launch::{Launch, Operand, two_dimensional};

pub(super) fn launch(operator: &LayerNorm, shapes: &Shapes<'_>) -> Result<Launch> {
    let block = operator.block(shapes)?;
    let operands = [
        Operand::Buffer(operator.input),
        Operand::Parameter(operator.weight),
        Operand::Parameter(operator.bias),
    ];
    // A workgroup computes a row.
    Launch::new(shapes, &KERNEL, block, operands, two_dimensional(block.rows as usize))
}
