//! The CPU twin.

use mobilebert_compute::rows;

use super::{Add, AddParameters};
use crate::error::Result;
use crate::kernels::host::Host;
use crate::kernels::operator::Twin;
use crate::kernels::{Scratch, Workers};

impl Twin for Add {
    fn compute(
        &self,
        block: &AddParameters,
        host: &Host<'_>,
        output: &mut [f32],
        _: &mut Scratch,
    ) -> Result<()> {
        let operands = AddOperands {
            input_values: host.buffer(self.input)?,
            residual: host.buffer(self.residual.from.buffer)?,
            scale: host.optional_vector(self.residual.scale)?,
        };
        run(block, &operands, output, host.workers);
        Ok(())
    }
}

/// The CPU twin's operands, named after the bindings.
#[derive(Clone, Copy, Debug)]
pub struct AddOperands<'a> {
    /// `len` values.
    pub input_values: &'a [f32],
    /// `len` values.
    pub residual: &'a [f32],
    /// `[features]` if the residual is scaled.
    pub scale: &'a [f32],
}

/// The CPU twin.
pub fn run(
    parameters: &AddParameters,
    operands: &AddOperands<'_>,
    output_values: &mut [f32],
    workers: &Workers,
) {
    let features = parameters.features as usize;
    let output = &mut output_values[..parameters.len as usize];
    let scale = (parameters.has_scale != 0).then(|| &operands.scale[..features]);
    rows::add(operands.input_values, operands.residual, scale, features, output, workers);
}
