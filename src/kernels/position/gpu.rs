//! The dispatch.

use super::{KERNEL, Position, PositionParameters};
use crate::error::Result;
use crate::kernels::Shapes;
use crate::kernels::launch::{Launch, Operand, flat};
use crate::kernels::operator::Dispatch;

impl Dispatch for Position {
    fn launch(&self, block: PositionParameters, shapes: &Shapes<'_>) -> Result<Launch> {
        let position = Operand::Parameter(self.position);
        let operands = [
            Operand::TokenTypeIds,
            self.input.map_or(position, Operand::Buffer),
            position,
            self.token_type.map_or(position, Operand::Parameter),
        ];
        Launch::new(shapes, &KERNEL, block, operands, flat(shapes.output_len))
    }
}
