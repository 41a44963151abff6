//! `(x − mean) / √(variance + epsilon) ∘ weight + bias` over each row.

mod cpu;
mod gpu;

pub use cpu::{LayerNormOperands, run};

use super::cost::Cost;
use super::operator::Operator;
use super::{BufferId, Columns, Kernel, ParameterId, Shapes, parameter_block, read, write};
use crate::error::Result;
use crate::kernels::wgsl::include_wgsl;

/// `(x − mean) / √(variance + epsilon) ∘ weight + bias` over rows of `features`.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerNorm {
    /// `[rows, features]`.
    pub input: Columns,
    /// `[features]`.
    pub weight: ParameterId,
    /// `[features]`.
    pub bias: ParameterId,
    /// Length of a row.
    pub features: usize,
    /// Added to the (biased) variance.
    pub epsilon: f32,
}

parameter_block! {
    /// Parameters of `layer_norm`.
    pub struct LayerNormParameters {
        /// Rows.
        pub rows: u32,
        /// Length of a row.
        pub features: u32,
        /// Added to the biased variance.
        pub epsilon: f32,
        /// Distance between input rows in floats.
        pub row_stride: u32,
        /// First column of the input that is read.
        pub input_first: u32,
    }
}

/// Table entry.
pub const KERNEL: Kernel = Kernel {
    name: "layer_norm",
    wgsl: &[
        include_wgsl!("../../../shaders/shared/reduction.wgsl"),
        include_wgsl!("../../../shaders/layer_norm.wgsl"),
    ],
    parameters: LayerNormParameters::BLOCK,
    bindings: &[read("input_values"), read("weight"), read("bias"), write("output_values")],
};

impl LayerNorm {
    fn rows(&self, shapes: &Shapes<'_>) -> Result<usize> {
        if self.features == 0 || !shapes.output_len.is_multiple_of(self.features) {
            let problem = format!("{} floats in rows of {}", shapes.output_len, self.features);
            return Err(shapes.error(problem));
        }
        Ok(shapes.output_len / self.features)
    }
}

impl Operator for LayerNorm {
    type Block = LayerNormParameters;

    const KERNELS: &'static [&'static Kernel] = &[&KERNEL];

    fn reads_mut(&mut self) -> Vec<&mut BufferId> {
        vec![&mut self.input.buffer]
    }

    fn columns_mut(&mut self) -> Vec<&mut Columns> {
        vec![&mut self.input]
    }

    fn parameters(&self) -> Vec<ParameterId> {
        vec![self.weight, self.bias]
    }

    fn block(&self, shapes: &Shapes<'_>) -> Result<Self::Block> {
        let rows = self.rows(shapes)?;
        shapes.columns(&self.input, rows, self.features)?;
        shapes.vector(self.weight, self.features)?;
        shapes.vector(self.bias, self.features)?;
        Ok(LayerNormParameters {
            rows: shapes.u32(rows)?,
            features: shapes.u32(self.features)?,
            epsilon: self.epsilon,
            row_stride: shapes.u32(self.input.stride)?,
            input_first: shapes.u32(self.input.first)?,
        })
    }

    fn extent(&self, shapes: &Shapes<'_>) -> Result<Vec<usize>> {
        Ok(vec![self.rows(shapes)?, self.features])
    }

    fn cost(&self, shapes: &Shapes<'_>, stored: &dyn Fn(ParameterId) -> u64) -> Result<Cost> {
        Cost::of(self, shapes, stored, 0)?.without_other_columns(shapes, self, self.features)
    }
}
