//! The CPU twin.

use super::{Attention, AttentionParameters};
use crate::error::Result;
use crate::kernels::host::Host;
use crate::kernels::operator::Twin;
use crate::kernels::{Scratch, Workers};

impl Twin for Attention {
    fn compute(
        &self,
        block: &AttentionParameters,
        host: &Host<'_>,
        output: &mut [f32],
        scratch: &mut Scratch,
    ) -> Result<()> {
        let operands = AttentionOperands {
            attention_mask: &host.inputs.attention_mask,
            query: host.buffer(self.query.buffer)?,
            key: host.buffer(self.key.buffer)?,
            value: host.buffer(self.value.buffer)?,
        };
        run(block, &operands, output, scratch, host.workers);
        Ok(())
    }
}

/// The CPU twin's operands, named after the bindings.
#[derive(Clone, Copy, Debug)]
pub struct AttentionOperands<'a> {
    /// `[batch, sequence]`: 0 where a key is not attended to.
    pub attention_mask: &'a [u32],
    /// `batch · sequence` rows whose columns include the queries of all heads, already scaled.
    pub query: &'a [f32],
    /// The same for keys.
    pub key: &'a [f32],
    /// The same for values.
    pub value: &'a [f32],
}

/// The CPU twin; `output_values` is `[batch · sequence, heads · head_size]`.
pub fn run(
    parameters: &AttentionParameters,
    operands: &AttentionOperands<'_>,
    output_values: &mut [f32],
    scratch: &mut Scratch,
    workers: &Workers,
) {
    let AttentionOperands { attention_mask, query, key, value } = *operands;
    let matrices = [parameters.query(query), parameters.key(key), parameters.value(value)];
    parameters.shape().attention(attention_mask, matrices, output_values, scratch, workers);
}
