//! `output = activation(input · weightᵀ + bias) + scale ∘ residual`.

mod cpu;
mod gpu;

pub use cpu::{LinearOperands, run};
pub use gpu::{KERNEL, KERNEL_SHORT, SHORT_TILE, WIDE_TILE};

use super::cost::{Cost, buffer_bytes};
use super::operator::Operator;
use super::{BufferId, Kernel, ParameterId, Residual, Shapes, parameter_block};
use crate::config::Activation;
use crate::error::Result;

/// `activation(input · weightᵀ + bias) + scale ∘ residual`.
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    /// `[rows, in_features]`, its rows `row_stride` floats apart.
    pub input: BufferId,
    /// Number of rows to compute.
    pub rows: usize,
    /// Distance of the input's rows in floats: `in_features`, or `sequence · in_features` to read only first tokens.
    pub row_stride: usize,
    /// `[out_features, in_features]`.
    pub weight: ParameterId,
    /// `[out_features]`.
    pub bias: ParameterId,
    /// Applied before the residual is added.
    pub activation: Activation,
    /// `[rows, out_features]`, added after the activation.
    pub residual: Option<Residual>,
}

parameter_block! {
    /// Parameters of `linear`.
    pub struct LinearParameters {
        /// Rows computed.
        pub rows: u32,
        /// Length of an input row.
        pub in_features: u32,
        /// Length of an output row.
        pub out_features: u32,
        /// Distance of input rows in floats.
        pub row_stride: u32,
        /// Code of [`Activation`].
        pub activation: u32,
        /// 1 where a residual is added.
        pub has_residual: u32,
        /// 1 where the residual is scaled.
        pub has_scale: u32,
    }
}

impl Operator for Linear {
    type Block = LinearParameters;

    const KERNELS: &'static [&'static Kernel] = gpu::KERNELS;

    fn reads_mut(&mut self) -> Vec<&mut BufferId> {
        std::iter::once(&mut self.input)
            .chain(self.residual.iter_mut().map(|residual| &mut residual.buffer))
            .collect()
    }

    fn parameters(&self) -> Vec<ParameterId> {
        [self.weight, self.bias]
            .into_iter()
            .chain(self.residual.and_then(|residual| residual.scale))
            .collect()
    }

    fn block(&self, shapes: &Shapes<'_>) -> Result<Self::Block> {
        let weight = shapes.matrix(self.weight)?;
        let (out_features, in_features) = (weight.rows, weight.columns);
        shapes.vector(self.bias, out_features)?;
        if self.rows == 0 || self.row_stride < in_features {
            let problem = format!("{} rows, {} apart, of {in_features} features", self.rows, self.row_stride);
            return Err(shapes.error(problem));
        }
        shapes.buffer(self.input, self.rows * self.row_stride)?;
        if let Some(residual) = &self.residual {
            shapes.residual(residual, self.rows, out_features)?;
        }
        shapes.result(self.rows * out_features)?;
        Ok(LinearParameters {
            rows: shapes.u32(self.rows)?,
            in_features: shapes.u32(in_features)?,
            out_features: shapes.u32(out_features)?,
            row_stride: shapes.u32(self.row_stride)?,
            activation: self.activation as u32,
            has_residual: self.residual.is_some().into(),
            has_scale: self.residual.is_some_and(|residual| residual.scale.is_some()).into(),
        })
    }

    fn extent(&self, shapes: &Shapes<'_>) -> Result<Vec<usize>> {
        let weight = shapes.matrix(self.weight)?;
        Ok(vec![self.rows, weight.columns, weight.rows])
    }

    fn cost(&self, shapes: &Shapes<'_>, stored: &dyn Fn(ParameterId) -> u64) -> Result<Cost> {
        let weight = shapes.matrix(self.weight)?;
        // Of an input with a stride, the rows that are read.
        let skipped = buffer_bytes(shapes, self.input)? - 4 * (self.rows * weight.columns) as u64;
        let Cost { bytes, .. } = Cost::of(self, shapes, stored, 0)?;
        let cost = Cost { flops: 0, bytes: bytes - skipped };
        Ok(cost.with_multiply_adds(self.rows * weight.rows * weight.columns))
    }
}
