//! The dispatch.

use super::{AttentionProbabilities, KERNEL};
use crate::error::Result;
use crate::kernels::Shapes;
use crate::kernels::attention::AttentionParameters;
use crate::kernels::launch::{Launch, Operand};
use crate::kernels::operator::Dispatch;

impl Dispatch for AttentionProbabilities {
    fn launch(&self, block: AttentionParameters, shapes: &Shapes<'_>) -> Result<Launch> {
        let [query, key] = [self.query, self.key].map(|operand| Operand::Buffer(operand.buffer));
        // A workgroup computes the probabilities of one query in one head.
        let workgroups = [shapes.sequence, self.heads, shapes.batch];
        Launch::new(shapes, &KERNEL, block, [Operand::AttentionMask, query, key], workgroups)
    }
}
