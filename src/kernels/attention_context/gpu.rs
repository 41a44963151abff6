//! The dispatch.

use super::{AttentionContext, KERNEL};
use crate::error::Result;
use crate::kernels::Shapes;
use crate::kernels::attention::AttentionParameters;
use crate::kernels::launch::{Launch, Operand, flat};
use crate::kernels::operator::Dispatch;

impl Dispatch for AttentionContext {
    fn launch(&self, block: AttentionParameters, shapes: &Shapes<'_>) -> Result<Launch> {
        let operands = [self.probabilities, self.value.buffer].map(Operand::Buffer);
        Launch::new(shapes, &KERNEL, block, operands, flat(shapes.output_len))
    }
}
