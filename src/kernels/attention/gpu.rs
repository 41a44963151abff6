//! The dispatch.

use super::{Attention, KERNEL};
use crate::error::Result;
use crate::kernels::Shapes;
use crate::kernels::launch::{Launch, Operand};

/// Queries and features per workgroup.
const TILE: [usize; 2] = [64, 32];

pub(super) fn launch(operator: &Attention, shapes: &Shapes<'_>) -> Result<Launch> {
    let block = operator.block(shapes)?;
    let [query, key, value] = [operator.query, operator.key, operator.value].map(Operand::Buffer);
    let workgroups = [
        shapes.sequence.div_ceil(TILE[0]),
        operator.head_size.div_ceil(TILE[1]),
        shapes.batch * operator.heads,
    ];
    Launch::new(shapes, &KERNEL, block, [Operand::AttentionMask, query, key, value], workgroups)
}
