//! The dispatch.

use super::{Embedding, KERNEL};
use crate::error::Result;
use crate::kernels::Shapes;
use crate::kernels::launch::{Launch, Operand, flat};

pub(super) fn launch(operator: &Embedding, shapes: &Shapes<'_>) -> Result<Launch> {
    let block = operator.block(shapes)?;
    let operands = [Operand::InputIds, Operand::Parameter(operator.table)];
    Launch::new(shapes, &KERNEL, block, operands, flat(shapes.output_len))
}
