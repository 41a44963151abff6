//! `output = input + scale ∘ residual` over rows of `features`.

mod cpu;
mod gpu;

pub use cpu::{AddOperands, run};

use super::cost::Cost;
use super::host::Host;
use super::launch::Launch;
use super::operator::Operator;
use super::{BufferId, Kernel, ParameterId, Residual, Scratch, Shapes, parameter_block, read, write};
use crate::error::Result;

/// `input + scale ∘ residual`.
#[derive(Clone, Debug, PartialEq)]
pub struct Add {
    /// `[rows, features]`.
    pub input: BufferId,
    /// `[rows, features]`.
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
        /// 1 where the residual is scaled.
        pub has_scale: u32,
    }
}

/// Table entry.
pub const KERNEL: Kernel = Kernel {
    name: "add",
    wgsl: include_str!("../../../shaders/add.wgsl"),
    parameters: AddParameters::BLOCK,
    bindings: &[read("input_values"), read("residual"), read("scale"), write("output_values")],
};

/// All variants.
pub(super) const KERNELS: &[&Kernel] = &[&KERNEL];

impl Add {
    fn block(&self, shapes: &Shapes<'_>) -> Result<AddParameters> {
        let rows = shapes.rows_of(self.input, self.features)?;
        shapes.residual(&self.residual, rows, self.features)?;
        Ok(AddParameters {
            len: shapes.u32(shapes.output_len)?,
            features: shapes.u32(self.features)?,
            has_scale: self.residual.scale.is_some().into(),
        })
    }
}

impl Operator for Add {
    fn kernel(&self) -> &'static Kernel {
        &KERNEL
    }

    fn reads_mut(&mut self) -> Vec<&mut BufferId> {
        vec![&mut self.input, &mut self.residual.buffer]
    }

    fn parameters(&self) -> Vec<ParameterId> {
        self.residual.scale.into_iter().collect()
    }

    fn check(&self, shapes: &Shapes<'_>) -> Result<()> {
        self.block(shapes).map(drop)
    }

    fn extent(&self, shapes: &Shapes<'_>) -> Result<Vec<usize>> {
        Ok(vec![shapes.rows_of(self.input, self.features)?, self.features])
    }

    fn cost(&self, shapes: &Shapes<'_>, stored: &dyn Fn(ParameterId) -> u64) -> Result<Cost> {
        Cost::of(self, shapes, stored, 0)
    }

    fn compute(
        &self,
        shapes: &Shapes<'_>,
        host: &Host<'_>,
        output: &mut [f32],
        _: &mut Scratch,
    ) -> Result<()> {
        cpu::compute(self, shapes, host, output)
    }

    fn launch(&self, shapes: &Shapes<'_>) -> Result<Launch> {
        gpu::launch(self, shapes)
    }
}
