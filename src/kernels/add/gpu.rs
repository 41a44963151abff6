//! The dispatch.

use super::{Add, AddParameters, KERNEL};
use crate::error::Result;
use crate::kernels::Shapes;
use crate::kernels::launch::{Launch, Operand, flat};
use crate::kernels::operator::Dispatch;

impl Dispatch for Add {
    fn launch(&self, block: AddParameters, shapes: &Shapes<'_>) -> Result<Launch> {
        let operands = [
            Operand::Buffer(self.input),
            Operand::Buffer(self.residual.from.buffer),
            self.residual.scale.map_or(Operand::Buffer(self.input), Operand::Parameter),
        ];
        Launch::new(shapes, &KERNEL, block, operands, flat(shapes.output_len))
    }
}
