//! The dispatch.

use super::{AttentionProbabilities, KERNEL};
use crate::error::Result;
use crate::kernels::Shapes;
use crate::kernels::launch::{Launch, Operand};

pub(super) fn launch(operator: &AttentionProbabilities, shapes: &Shapes<'_>) -> Result<Launch> {
    let block = operator.block(shapes)?;
    let [query, key] = [operator.query, operator.key].map(Operand::Buffer);
    // A workgroup computes the probabilities of one query in one head.
    let workgroups = [shapes.sequence, operator.heads, shapes.batch];
    Launch::new(shapes, &KERNEL, block, [Operand::AttentionMask, query, key], workgroups)
}
