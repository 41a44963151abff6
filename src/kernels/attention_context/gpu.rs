//! The dispatch.

use super::{AttentionContext, KERNEL};
use crate::error::Result;
use crate::kernels::Shapes;
use crate::kernels::launch::{Launch, Operand, flat};

pub(super) fn launch(operator: &AttentionContext, shapes: &Shapes<'_>) -> Result<Launch> {
    let block = operator.block(shapes)?;
    let operands = [operator.probabilities, operator.value].map(Operand::Buffer);
    Launch::new(shapes, &KERNEL, block, operands, flat(shapes.output_len))
}
