//! The CPU twin.

use super::AttentionProbabilities;
use crate::error::Result;
use crate::kernels::attention::AttentionParameters;
use crate::kernels::host::Host;
use crate::kernels::operator::Twin;
use crate::kernels::{Scratch, Workers};

impl Twin for AttentionProbabilities {
    fn compute(
        &self,
        block: &AttentionParameters,
        host: &Host<'_>,
        output: &mut [f32],
        scratch: &mut Scratch,
    ) -> Result<()> {
        let operands = AttentionProbabilitiesOperands {
            attention_mask: &host.inputs.attention_mask,
            query: host.buffer(self.query.buffer)?,
            key: host.buffer(self.key.buffer)?,
        };
        run(block, &operands, output, scratch, host.workers);
        Ok(())
    }
}

/// The CPU twin's operands, named after the bindings.
#[derive(Clone, Copy, Debug)]
pub struct AttentionProbabilitiesOperands<'a> {
    /// `[batch, sequence]`: 0 where a key is not attended to.
    pub attention_mask: &'a [u32],
    /// `batch · sequence` rows whose columns include the queries of all heads, already scaled.
    pub query: &'a [f32],
    /// The same for keys.
    pub key: &'a [f32],
}

/// The CPU twin; `output_values` is `[batch, heads, sequence, sequence]`.
pub fn run(
    parameters: &AttentionParameters,
    operands: &AttentionProbabilitiesOperands<'_>,
    output_values: &mut [f32],
    scratch: &mut Scratch,
    workers: &Workers,
) {
    let AttentionProbabilitiesOperands { attention_mask, query, key } = *operands;
    let matrices = [parameters.query(query), parameters.key(key)];
    parameters.shape().probabilities(attention_mask, matrices, output_values, scratch, workers);
}
