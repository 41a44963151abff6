//! Linear layers with their epilogue.

use crate::Activation;
use crate::packed::PackedMatrix;
use crate::panels::StridedRows;
use crate::product::{Epilogue, Product};
use crate::workers::Workers;

/// `activation(input · weightᵀ + bias) + scale ∘ residual`.
#[derive(Clone, Copy, Debug)]
pub struct Linear<'a> {
    /// Rows of `weight.in_features()` values.
    pub input: StridedRows<'a>,
    /// Packed for the instruction set of the workers.
    pub weight: &'a PackedMatrix,
    /// The first of the weight's rows to multiply, a multiple of [`COLUMN_MULTIPLE`](crate::COLUMN_MULTIPLE).
    pub first: usize,
    /// One value for each row of the weight.
    pub bias: &'a [f32],
    /// Applied after the bias.
    pub activation: Activation,
    /// As many rows as the output, added after the activation.
    pub residual: Option<StridedRows<'a>>,
    /// `[columns]`: factor of the residual.
    pub scale: Option<&'a [f32]>,
}

impl Linear<'_> {
    /// Computes `output`, which has rows of `columns` values.
    pub fn compute(&self, output: &mut [f32], columns: usize, workers: &Workers) {
        let simd = workers.simd();
        assert_eq!(self.weight.simd(), simd, "a weight is packed for the instruction set that reads it");
        let (panels, column_scale) = self.weight.panels_from(self.first);
        workers.for_each_rows(output, columns, |first_row, part| {
            let epilogue = Epilogue {
                column_scale,
                bias: &self.bias[self.first..],
                activation: self.activation,
                residual: self.residual.map(|residual| residual.from(first_row, 0)),
                scale: self.scale,
            };
            simd.multiply(Product {
                input: self.input.from(first_row, 0),
                rows: part.len() / columns,
                panels,
                depth: self.weight.in_features(),
                columns,
                output: part,
                output_stride: columns,
                epilogue: Some(epilogue),
            });
        });
    }
}
