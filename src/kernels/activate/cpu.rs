//! The CPU twin.

use super::{Activate, ActivateParameters, activation_of};
use crate::config::Activation;
use crate::error::Result;
use crate::kernels::host::Host;
use crate::kernels::operator::Twin;
use crate::kernels::simd::{Lanes, Task};
use crate::kernels::{Scratch, Workers, functions};

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

struct ActivateTask<'a> {
    input: &'a [f32],
    activation: Activation,
    output: &'a mut [f32],
}

impl Task for ActivateTask<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const MR: usize>(self) {
        self.output.copy_from_slice(self.input);
        functions::activate::<V>(self.activation, self.output);
    }
}

/// The CPU twin.
pub fn run(
    parameters: &ActivateParameters,
    input_values: &[f32],
    output_values: &mut [f32],
    workers: &Workers,
) {
    let activation = activation_of(parameters.activation);
    let output = &mut output_values[..parameters.len as usize];
    workers.for_each_rows(output, 1, |first, output| {
        let input = &input_values[first..first + output.len()];
        workers.simd().run(ActivateTask { input, activation, output });
    });
}
