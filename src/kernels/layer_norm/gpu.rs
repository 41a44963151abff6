//! The dispatch.

use super::{KERNEL, LayerNorm, LayerNormParameters};
use crate::error::Result;
use crate::kernels::Shapes;
use crate::kernels::launch::{Launch, Operand, two_dimensional};
use crate::kernels::operator::Dispatch;

impl Dispatch for LayerNorm {
    fn launch(&self, block: LayerNormParameters, shapes: &Shapes<'_>) -> Result<Launch> {
        let operands = [
            Operand::Buffer(self.input.buffer),
            Operand::Parameter(self.weight),
            Operand::Parameter(self.bias),
        ];
        // A workgroup computes a row.
        Launch::new(shapes, &KERNEL, block, operands, two_dimensional(block.rows as usize))
    }
}
