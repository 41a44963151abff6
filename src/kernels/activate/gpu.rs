//! The dispatch.

use super::{Activate, ActivateParameters, KERNEL};
use crate::error::Result;
use crate::kernels::Shapes;
use crate::kernels::launch::{Launch, Operand, flat};
use crate::kernels::operator::Dispatch;

impl Dispatch for Activate {
    fn launch(&self, block: ActivateParameters, shapes: &Shapes<'_>) -> Result<Launch> {
        let operands = [Operand::Buffer(self.input)];
        // An invocation computes a vector of four.
        Launch::new(shapes, &KERNEL, block, operands, flat(shapes.output_len.div_ceil(4)))
    }
}
