//! The CPU twin.

use super::{Add, AddParameters};
use crate::error::Result;
use crate::kernels::host::Host;
use crate::kernels::operator::Twin;
use crate::kernels::simd::{Lanes, Task};
use crate::kernels::{Scratch, Workers, functions};

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
    /// `[features]` where the residual is scaled.
    pub scale: &'a [f32],
}

struct AddTask<'a> {
    input: &'a [f32],
    residual: &'a [f32],
    scale: Option<&'a [f32]>,
    output: &'a mut [f32],
}

impl Task for AddTask<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const MR: usize>(self) {
        self.output.copy_from_slice(self.input);
        match self.scale {
            None => functions::add(self.output, self.residual),
            Some(scale) => {
                let features = scale.len();
                for (row, residual) in self.output.chunks_mut(features).zip(self.residual.chunks(features)) {
                    functions::add_scaled(row, residual, scale);
                }
            }
        }
    }
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
    workers.for_each_rows(output, features, |first_row, output| {
        let range = first_row * features..first_row * features + output.len();
        workers.simd().run(AddTask {
            input: &operands.input_values[range.clone()],
            residual: &operands.residual[range],
            scale: (parameters.has_scale != 0).then(|| &operands.scale[..features]),
            output,
        });
    });
}
