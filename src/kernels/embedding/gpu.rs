//! The dispatch.

use super::{Embedding, EmbeddingParameters, KERNEL};
use crate::error::Result;
use crate::kernels::Shapes;
use crate::kernels::launch::{Launch, Operand, flat};
use crate::kernels::operator::Dispatch;

impl Dispatch for Embedding {
    fn launch(&self, block: EmbeddingParameters, shapes: &Shapes<'_>) -> Result<Launch> {
        let operands = [Operand::InputIds, Operand::Parameter(self.table)];
        Launch::new(shapes, &KERNEL, block, operands, flat(shapes.output_len))
    }
}
