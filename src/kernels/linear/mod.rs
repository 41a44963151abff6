//! `output = activation(input · weightᵀ + bias) + scale ∘ residual`.

mod cpu;
mod gpu;

pub use cpu::{LinearOperands, run};
pub use gpu::{KERNEL, KERNEL_SHORT, SHORT_TILE, WIDE_TILE};

use std::ops::Range;

use super::cost::{Cost, buffer_bytes};
use super::operator::Operator;
use super::{BufferId, COLUMN_MULTIPLE, Columns, Kernel, ParameterId, Residual, Shapes, parameter_block};
use crate::config::Activation;
use crate::error::Result;

/// `activation(input · weightᵀ + bias) + scale ∘ residual`.
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    /// `[rows, in_features]`. If only first tokens are read, its rows are a sequence apart.
    pub input: Columns,
    /// Number of rows to compute.
    pub rows: usize,
    /// `[out_features, in_features]`, possibly of several modules that read the same input.
    pub weight: ParameterId,
    /// `[out_features]`.
    pub bias: ParameterId,
    /// The rows of the weight to multiply with. The first is a multiple of [`super::COLUMN_MULTIPLE`].
    pub outputs: Range<usize>,
    /// Applied before the residual is added.
    pub activation: Activation,
    /// `[rows, outputs]`, added after the activation.
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
        /// Distance between input rows in floats.
        pub row_stride: u32,
        /// First column of the input that is read.
        pub input_first: u32,
        /// Number of the weight's rows.
        pub weight_rows: u32,
        /// The first of them that is read, and of the bias.
        pub weight_first: u32,
        /// Code of [`Activation`].
        pub activation: u32,
        /// 1 if a residual is added.
        pub has_residual: u32,
        /// 1 if the residual is scaled.
        pub has_scale: u32,
        /// Distance between the residual's rows in floats.
        pub residual_stride: u32,
        /// First column of the residual that is read.
        pub residual_first: u32,
    }
}

impl Operator for Linear {
    type Block = LinearParameters;

    const KERNELS: &'static [&'static Kernel] = gpu::KERNELS;

    fn reads_mut(&mut self) -> Vec<&mut BufferId> {
        self.columns_mut().into_iter().map(|columns| &mut columns.buffer).collect()
    }

    fn columns_mut(&mut self) -> Vec<&mut Columns> {
        let residual = self.residual.as_mut().map(|residual| &mut residual.from);
        std::iter::once(&mut self.input).chain(residual).collect()
    }

    fn parameters(&self) -> Vec<ParameterId> {
        [self.weight, self.bias]
            .into_iter()
            .chain(self.residual.and_then(|residual| residual.scale))
            .collect()
    }

    fn block(&self, shapes: &Shapes<'_>) -> Result<Self::Block> {
        let weight = shapes.matrix(self.weight)?;
        let Range { start: first, end } = self.outputs;
        shapes.vector(self.bias, weight.rows)?;
        if self.rows == 0 || first >= end || end > weight.rows || !first.is_multiple_of(COLUMN_MULTIPLE) {
            let problem = format!("{} rows, columns {first}..{end} of {}", self.rows, weight.rows);
            return Err(shapes.error(problem));
        }
        shapes.columns(&self.input, self.rows, weight.columns)?;
        let features = end - first;
        if let Some(residual) = &self.residual {
            shapes.residual(residual, self.rows, features)?;
        }
        shapes.result(self.rows * features)?;
        let residual = self.residual.map(|residual| residual.from);
        Ok(LinearParameters {
            rows: shapes.u32(self.rows)?,
            in_features: shapes.u32(weight.columns)?,
            out_features: shapes.u32(features)?,
            row_stride: shapes.u32(self.input.stride)?,
            input_first: shapes.u32(self.input.first)?,
            weight_rows: shapes.u32(weight.rows)?,
            weight_first: shapes.u32(first)?,
            activation: self.activation as u32,
            has_residual: residual.is_some().into(),
            has_scale: self.residual.is_some_and(|residual| residual.scale.is_some()).into(),
            residual_stride: shapes.u32(residual.map_or(0, |residual| residual.stride))?,
            residual_first: shapes.u32(residual.map_or(0, |residual| residual.first))?,
        })
    }

    fn extent(&self, shapes: &Shapes<'_>) -> Result<Vec<usize>> {
        Ok(vec![self.rows, shapes.matrix(self.weight)?.columns, self.outputs.len()])
    }

    fn cost(&self, shapes: &Shapes<'_>, stored: &dyn Fn(ParameterId) -> u64) -> Result<Cost> {
        let weight = shapes.matrix(self.weight)?;
        let outputs = self.outputs.len();
        let part = |id: ParameterId| match [self.weight, self.bias].contains(&id) {
            true => stored(id).saturating_mul(outputs as u64) / weight.rows as u64,
            false => stored(id),
        };
        // Of wider operands, only some columns are read.
        let mut skipped = buffer_bytes(shapes, self.input.buffer)? - 4 * (self.rows * weight.columns) as u64;
        if let Some(Residual { from, .. }) = self.residual {
            skipped += buffer_bytes(shapes, from.buffer)? - 4 * (self.rows * outputs) as u64;
        }
        let Cost { bytes, .. } = Cost::of(self, shapes, &part, 0)?;
        let cost = Cost { flops: 0, bytes: bytes - skipped };
        Ok(cost.with_multiply_adds(self.rows * weight.columns * outputs))
    }
}
