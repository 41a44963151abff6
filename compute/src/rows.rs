//! Operations on single rows or values.

use crate::panels::StridedRows;
use crate::simd::{Lanes, Task};
use crate::workers::Workers;
use crate::{Activation, functions};

/// `output = activation(input)`; both have the same length.
pub fn activate(activation: Activation, input: &[f32], output: &mut [f32], workers: &Workers) {
    workers.for_each_rows(output, 1, |first, output| {
        let input = &input[first..first + output.len()];
        workers.simd().run(ActivateTask { input, activation, output });
    });
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

/// `output = input + scale ∘ residual`, in rows of `features` values.
pub fn add(
    input: &[f32],
    residual: &[f32],
    scale: Option<&[f32]>,
    features: usize,
    output: &mut [f32],
    workers: &Workers,
) {
    workers.for_each_rows(output, features, |first_row, output| {
        let range = first_row * features..first_row * features + output.len();
        let (input, residual) = (&input[range.clone()], &residual[range]);
        workers.simd().run(AddTask { input, residual, scale, output });
    });
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

/// Normalizes rows to a mean of 0 and a variance of 1, times `weight`, plus `bias`.
#[derive(Clone, Copy, Debug)]
pub struct LayerNorm<'a> {
    /// Rows of as many values as `weight`.
    pub input: StridedRows<'a>,
    /// `[features]`.
    pub weight: &'a [f32],
    /// `[features]`.
    pub bias: &'a [f32],
    /// Added to the variance.
    pub epsilon: f32,
}

impl LayerNorm<'_> {
    /// Computes `output`, rows of as many values as `weight`.
    pub fn compute(&self, output: &mut [f32], workers: &Workers) {
        workers.for_each_rows(output, self.weight.len(), |first_row, output| {
            let norm = LayerNorm { input: self.input.from(first_row, 0), ..*self };
            workers.simd().run(LayerNormTask { norm, output });
        });
    }
}

struct LayerNormTask<'a> {
    norm: LayerNorm<'a>,
    output: &'a mut [f32],
}

impl Task for LayerNormTask<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const MR: usize>(self) {
        let LayerNorm { input, weight, bias, epsilon } = self.norm;
        let features = weight.len();
        let count = features as f32;
        for (index, output) in self.output.chunks_exact_mut(features).enumerate() {
            let input = &input.from(index, 0).data[..features];
            // Two passes: subtracting the mean before squaring avoids cancellation at 2.5e7.
            let mean = functions::sum::<V, L>(input) / count;
            for (output, input) in output.iter_mut().zip(input) {
                *output = input - mean;
            }
            let variance = functions::sum_of_squares::<V, L>(output) / count;
            let factor = 1.0 / (variance + epsilon).sqrt();
            for ((output, weight), bias) in output.iter_mut().zip(weight).zip(bias) {
                *output = *output * factor * weight + bias;
            }
        }
    }
}
