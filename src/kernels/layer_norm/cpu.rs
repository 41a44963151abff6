//! The CPU twin.

use mobilebert_compute::{StridedRows, rows};

use super::{LayerNorm, LayerNormParameters};
use crate::error::Result;
use crate::kernels::host::Host;
use crate::kernels::operator::Twin;
use crate::kernels::{Scratch, Workers};

impl Twin for LayerNorm {
    fn compute(
        &self,
        block: &LayerNormParameters,
        host: &Host<'_>,
        output: &mut [f32],
        _: &mut Scratch,
    ) -> Result<()> {
        let operands = LayerNormOperands {
            input_values: host.buffer(self.input.buffer)?,
            weight: host.vector(self.weight)?,
            bias: host.vector(self.bias)?,
        };
        run(block, &operands, output, host.workers);
        Ok(())
    }
}

/// The CPU twin's operands, named after the bindings.
#[derive(Clone, Copy, Debug)]
pub struct LayerNormOperands<'a> {
    /// `rows` rows, `row_stride` apart, of which `features` columns are read from `input_first` on.
    pub input_values: &'a [f32],
    /// `[features]`.
    pub weight: &'a [f32],
    /// `[features]`.
    pub bias: &'a [f32],
}

/// The CPU twin.
pub fn run(
    parameters: &LayerNormParameters,
    operands: &LayerNormOperands<'_>,
    output_values: &mut [f32],
    workers: &Workers,
) {
    let features = parameters.features as usize;
    let output = &mut output_values[..parameters.rows as usize * features];
    let norm = rows::LayerNorm {
        input: StridedRows::new(operands.input_values, parameters.row_stride, parameters.input_first),
        weight: &operands.weight[..features],
        bias: &operands.bias[..features],
        epsilon: parameters.epsilon,
    };
    norm.compute(output, workers);
}
