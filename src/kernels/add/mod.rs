//! `output = input + scale ∘ residual` over rows of `features`.

mod cpu;
mod gpu;

pub use cpu::{AddOperands, run};

use super::operator::Operator;
use super::{BufferId, Kernel, ParameterId, Residual, Shapes, parameter_block, read, write};
use crate::error::Result;
use crate::kernels::wgsl::include_wgsl;

/// `input + scale ∘ residual`.
#[derive(Clone, Debug, PartialEq)]
pub struct Add {
    /// `[rows, features]`.
    pub input: BufferId,
    /// `[rows, features]`: all columns of its buffer.
    pub residual: Residual,
    /// Length of a row.
    pub features: usize,
}

parameter_block! {
    /// Parameters of `add`.
    pub struct AddParameters {
        /// Number of elements.
        pub len: u32,
        /// Length of a row.
        pub features: u32,
        /// 1 if the residual is scaled.
        pub has_scale: u32,
    }
}

/// Table entry.
pub const KERNEL: Kernel = Kernel {
    name: "add",
    wgsl: &[include_wgsl!("../../../shaders/add.wgsl")],
    parameters: AddParameters::BLOCK,
    bindings: &[read("input_values"), read("residual"), read("scale"), write("output_values")],
};

impl Operator for Add {
    type Block = AddParameters;

    const KERNELS: &'static [&'static Kernel] = &[&KERNEL];

    fn reads_mut(&mut self) -> Vec<&mut BufferId> {
        vec![&mut self.input, &mut self.residual.from.buffer]
    }

    fn parameters(&self) -> Vec<ParameterId> {
        self.residual.scale.into_iter().collect()
    }

    fn block(&self, shapes: &Shapes<'_>) -> Result<Self::Block> {
        let rows = shapes.rows_of(self.input, self.features)?;
        shapes.residual(&self.residual, rows, self.features)?;
        shapes.equal("residual", self.residual.from.stride, self.features)?;
        Ok(AddParameters {
            len: shapes.u32(shapes.output_len)?,
            features: shapes.u32(self.features)?,
            has_scale: self.residual.scale.is_some().into(),
        })
    }

    fn extent(&self, shapes: &Shapes<'_>) -> Result<Vec<usize>> {
        Ok(vec![shapes.rows_of(self.input, self.features)?, self.features])
    }
}
