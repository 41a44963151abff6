//! The dispatch.

use super::{EmbeddingPosition, EmbeddingPositionParameters};
use crate::error::Result;
use crate::kernels::launch::{Launch, Operand, flat};
use crate::kernels::operator::Dispatch;
use crate::kernels::wgsl::include_wgsl;
use crate::kernels::{Kernel, Shapes, read, write};

/// Table entry.
pub const KERNEL: Kernel = Kernel {
    name: "embedding_position",
    wgsl: &[
        include_wgsl!("../../../shaders/shared/unpack.wgsl"),
        include_wgsl!("../../../shaders/shared/embedding.wgsl"),
        include_wgsl!("../../../shaders/shared/position.wgsl"),
        include_wgsl!("../../../shaders/embedding_position.wgsl"),
    ],
    parameters: EmbeddingPositionParameters::BLOCK,
    bindings: &[
        read("input_ids"),
        read("token_type_ids"),
        read("table"),
        read("position"),
        read("token_type"),
        write("output_values"),
    ],
};

impl Dispatch for EmbeddingPosition {
    fn launch(&self, block: EmbeddingPositionParameters, shapes: &Shapes<'_>) -> Result<Launch> {
        let position = Operand::Parameter(self.position.position);
        let operands = [
            Operand::InputIds,
            Operand::TokenTypeIds,
            Operand::Parameter(self.embedding.table),
            position,
            self.position.token_type.map_or(position, Operand::Parameter),
        ];
        Launch::new(shapes, &KERNEL, block, operands, flat(shapes.output_len))
    }
}
