//! The CPU twin.

use super::AttentionContext;
use crate::error::Result;
use crate::kernels::attention::AttentionParameters;
use crate::kernels::host::Host;
use crate::kernels::operator::Twin;
use crate::kernels::{Scratch, Workers};

impl Twin for AttentionContext {
    fn compute(
        &self,
        block: &AttentionParameters,
        host: &Host<'_>,
        output: &mut [f32],
        scratch: &mut Scratch,
    ) -> Result<()> {
        let (probabilities, value) = (host.buffer(self.probabilities)?, host.buffer(self.value.buffer)?);
        run(block, probabilities, value, output, scratch, host.workers);
        Ok(())
    }
}

/// The CPU twin: `probabilities` is `[batch, heads, sequence, sequence]`, `value` has `batch · sequence` rows, and
/// `output_values` is `[batch · sequence, heads · head_size]`.
pub fn run(
    parameters: &AttentionParameters,
    probabilities: &[f32],
    value: &[f32],
    output_values: &mut [f32],
    scratch: &mut Scratch,
    workers: &Workers,
) {
    parameters.shape().context(probabilities, parameters.value(value), output_values, scratch, workers);
}
