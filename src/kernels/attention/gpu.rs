//! The dispatch.

use super::{Attention, AttentionParameters, KERNEL};
use crate::error::Result;
use crate::kernels::Shapes;
use crate::kernels::launch::{Launch, Operand};
use crate::kernels::operator::Dispatch;

/// Queries and features per workgroup.
const TILE: [usize; 2] = [64, 32];

impl Dispatch for Attention {
    fn launch(&self, block: AttentionParameters, shapes: &Shapes<'_>) -> Result<Launch> {
        let [query, key, value] =
            [self.query, self.key, self.value].map(|operand| Operand::Buffer(operand.buffer));
        let workgroups =
            [shapes.sequence.div_ceil(TILE[0]), self.head_size.div_ceil(TILE[1]), shapes.batch * self.heads];
        Launch::new(shapes, &KERNEL, block, [Operand::AttentionMask, query, key, value], workgroups)
    }
}
