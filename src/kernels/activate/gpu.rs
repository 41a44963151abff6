//! The dispatch.

use super::{Activate, KERNEL};
use crate::error::Result;
use crate::kernels::Shapes;
use crate::kernels::launch::{Launch, Operand, flat};

pub(super) fn launch(operator: &Activate, shapes: &Shapes<'_>) -> Result<Launch> {
    let block = operator.block(shapes)?;
    let operands = [Operand::Buffer(operator.input)];
    // An invocation computes a vector of four.
    Launch::new(shapes, &KERNEL, block, operands, flat(shapes.output_len.div_ceil(4)))
}
