//! The CPU twin.

use super::{LayerNorm, LayerNormParameters};
use crate::error::Result;
use crate::kernels::host::Host;
use crate::kernels::operator::Twin;
use crate::kernels::panels::StridedRows;
use crate::kernels::simd::{Lanes, Task};
use crate::kernels::{Scratch, Workers, functions};

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

struct LayerNormTask<'a> {
    input: StridedRows<'a>,
    weight: &'a [f32],
    bias: &'a [f32],
    epsilon: f32,
    output: &'a mut [f32],
}

impl Task for LayerNormTask<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const MR: usize>(self) {
        let features = self.weight.len();
        let count = features as f32;
        for (index, output) in self.output.chunks_exact_mut(features).enumerate() {
            let input = &self.input.from(index, 0).data[..features];
            // Two passes, the mean taken away before anything is squared: no cancellation at 2.5e7.
            let mean = functions::sum::<V, L>(input) / count;
            for (output, input) in output.iter_mut().zip(input) {
                *output = input - mean;
            }
            let variance = functions::sum_of_squares::<V, L>(output) / count;
            let factor = 1.0 / (variance + self.epsilon).sqrt();
            for ((output, weight), bias) in output.iter_mut().zip(self.weight).zip(self.bias) {
                *output = *output * factor * weight + bias;
            }
        }
    }
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
    let stride = parameters.row_stride as usize;
    let input = StridedRows { data: &operands.input_values[parameters.input_first as usize..], stride };
    workers.for_each_rows(output, features, |first_row, output| {
        workers.simd().run(LayerNormTask {
            input: input.from(first_row, 0),
            weight: &operands.weight[..features],
            bias: &operands.bias[..features],
            epsilon: parameters.epsilon,
            output,
        });
    });
}
