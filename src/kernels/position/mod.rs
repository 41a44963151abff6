//! `output = input + position[t] + token_type[type_id]`, with `input` and `token_type` optional.

mod cpu;
mod gpu;

pub use cpu::{PositionOperands, run};

use super::cost::{Cost, buffer_bytes, gathered_bytes};
use super::operator::{Operator, RunInput};
use super::{BufferId, Kernel, ParameterId, Shapes, parameter_block, read, write};
use crate::error::Result;
use crate::kernels::wgsl::include_wgsl;

/// `input + position[t] + token_type[type_id]` over `[rows, H]`; without `input`, the sum of the last two.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// Vectors to add the positions to.
    pub input: Option<BufferId>,
    /// Position vectors `[max_position_embeddings, H]`.
    pub position: ParameterId,
    /// Type vectors `[type_vocab_size, H]`; absent for DistilBERT.
    pub token_type: Option<ParameterId>,
}

parameter_block! {
    /// Parameters of `position`.
    pub struct PositionParameters {
        /// Sequences.
        pub batch: u32,
        /// Tokens per sequence.
        pub sequence: u32,
        /// Length of a row.
        pub hidden_size: u32,
        /// 1 if there is an input.
        pub has_input: u32,
        /// 1 if there are token types.
        pub has_token_type: u32,
        /// Rows of the position table. This and the following fields are for the shader; the twin's tables
        /// have their own.
        pub positions: u32,
        /// Rows of the token type table.
        pub token_types: u32,
        /// Code of its [`super::WeightFormat`].
        pub position_format: u32,
        /// Code of its [`super::WeightFormat`].
        pub token_type_format: u32,
    }
}

/// Table entry.
pub const KERNEL: Kernel = Kernel {
    name: "position",
    wgsl: &[
        include_wgsl!("../../../shaders/shared/unpack.wgsl"),
        include_wgsl!("../../../shaders/shared/position.wgsl"),
        include_wgsl!("../../../shaders/position.wgsl"),
    ],
    parameters: PositionParameters::BLOCK,
    bindings: &[
        read("token_type_ids"),
        read("input_values"),
        read("position"),
        read("token_type"),
        write("output_values"),
    ],
};

impl Operator for Position {
    type Block = PositionParameters;

    const KERNELS: &'static [&'static Kernel] = &[&KERNEL];

    fn reads_mut(&mut self) -> Vec<&mut BufferId> {
        self.input.iter_mut().collect()
    }

    fn parameters(&self) -> Vec<ParameterId> {
        std::iter::once(self.position).chain(self.token_type).collect()
    }

    fn gathers(&self) -> Vec<(RunInput, ParameterId)> {
        self.token_type.iter().map(|table| (RunInput::TokenTypeIds, *table)).collect()
    }

    fn block(&self, shapes: &Shapes<'_>) -> Result<Self::Block> {
        let positions = shapes.matrix(self.position)?;
        let token_types = shapes.matrix(self.token_type.unwrap_or(self.position))?;
        let len = shapes.rows() * positions.columns;
        shapes.equal("token type width", token_types.columns, positions.columns)?;
        if shapes.sequence > positions.rows {
            return Err(shapes.error(format!("{} tokens, {} positions", shapes.sequence, positions.rows)));
        }
        if let Some(input) = self.input {
            shapes.buffer(input, len)?;
        }
        shapes.result(len)?;
        Ok(PositionParameters {
            batch: shapes.u32(shapes.batch)?,
            sequence: shapes.u32(shapes.sequence)?,
            hidden_size: shapes.u32(positions.columns)?,
            has_input: self.input.is_some().into(),
            has_token_type: self.token_type.is_some().into(),
            positions: shapes.u32(positions.rows)?,
            token_types: shapes.u32(token_types.rows)?,
            position_format: positions.format as u32,
            token_type_format: token_types.format as u32,
        })
    }

    fn extent(&self, shapes: &Shapes<'_>) -> Result<Vec<usize>> {
        Ok(vec![shapes.rows(), shapes.matrix(self.position)?.columns])
    }

    fn cost(&self, shapes: &Shapes<'_>, stored: &dyn Fn(ParameterId) -> u64) -> Result<Cost> {
        let types = self.token_type.map_or(0, |table| stored(table) + 4 * shapes.rows() as u64);
        let input = self.input.map_or(Ok(0), |input| buffer_bytes(shapes, input))?;
        let positions = gathered_bytes(shapes, stored, self.position, shapes.sequence)?;
        Ok(Cost { flops: 0, bytes: types + input + positions + 4 * shapes.output_len as u64 })
    }
}
