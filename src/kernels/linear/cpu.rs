//! The CPU twin of all variants: a [`PackedMatrix`] is stored in any format.

use mobilebert_compute::{self as compute, StridedRows};

use super::{Linear, LinearParameters};
use crate::error::Result;
use crate::kernels::activate::activation_of;
use crate::kernels::host::Host;
use crate::kernels::operator::Twin;
use crate::kernels::{PackedMatrix, Scratch, Workers};

impl Twin for Linear {
    fn compute(
        &self,
        block: &LinearParameters,
        host: &Host<'_>,
        output: &mut [f32],
        _: &mut Scratch,
    ) -> Result<()> {
        let operands = LinearOperands {
            input_values: host.buffer(self.input.buffer)?,
            weight: host.matrix(self.weight)?,
            bias: host.vector(self.bias)?,
            residual: host.optional_buffer(self.residual.map(|residual| residual.from.buffer))?,
            scale: host.optional_vector(self.residual.and_then(|residual| residual.scale))?,
        };
        run(block, &operands, output, host.workers);
        Ok(())
    }
}

/// The CPU twin's operands, named after the bindings.
#[derive(Clone, Copy, Debug)]
pub struct LinearOperands<'a> {
    /// `rows` rows, `row_stride` apart, of which `in_features` columns are read from `input_first` on.
    pub input_values: &'a [f32],
    /// `[weight_rows, in_features]`, packed for the instruction set of the workers.
    pub weight: &'a PackedMatrix,
    /// `[weight_rows]`.
    pub bias: &'a [f32],
    /// `rows` rows, `residual_stride` apart, if there is a residual.
    pub residual: &'a [f32],
    /// `[out_features]` if the residual is scaled.
    pub scale: &'a [f32],
}

/// The CPU twin; `output_values` is `[rows, out_features]`.
pub fn run(
    parameters: &LinearParameters,
    operands: &LinearOperands<'_>,
    output_values: &mut [f32],
    workers: &Workers,
) {
    let columns = parameters.out_features as usize;
    let linear = compute::Linear {
        input: StridedRows::new(operands.input_values, parameters.row_stride, parameters.input_first),
        weight: operands.weight,
        first: parameters.weight_first as usize,
        bias: operands.bias,
        activation: activation_of(parameters.activation),
        residual: (parameters.has_residual != 0).then(|| {
            StridedRows::new(operands.residual, parameters.residual_stride, parameters.residual_first)
        }),
        scale: (parameters.has_scale != 0).then_some(operands.scale),
    };
    linear.compute(&mut output_values[..parameters.rows as usize * columns], columns, workers);
}
