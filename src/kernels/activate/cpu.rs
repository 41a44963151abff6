//! The CPU twin.

use mobilebert_compute::rows;

use super::{Activate, ActivateParameters, activation_of};
use crate::error::Result;
use crate::kernels::host::Host;
use crate::kernels::operator::Twin;
use crate::kernels::{Scratch, Workers};

impl Twin for Activate {
    fn compute(
        &self,
        block: &ActivateParameters,
        host: &Host<'_>,
        output: &mut [f32],
        _: &mut Scratch,
    ) -> Result<()> {
        run(block, host.buffer(self.input)?, output, host.workers);
        Ok(())
    }
}

/// The CPU twin.
pub fn run(
    parameters: &ActivateParameters,
    input_values: &[f32],
    output_values: &mut [f32],
    workers: &Workers,
) {
    let output = &mut output_values[..parameters.len as usize];
    rows::activate(activation_of(parameters.activation), input_values, output, workers);
}
