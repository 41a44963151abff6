//! Matrices as the executor keeps them: in floats, or in 8 bits.

use mobilebert::kernels::{PackedMatrix, Simd, Table};
use mobilebert::weights::{ParameterData, Q8Tensor, Tensor};

use super::random::Random;

/// Sizes of hidden states in trained networks.
pub const SIZES: [f32; 4] = [1e-3, 1.0, 1e4, 2.5e7];

/// A row-major matrix.
#[derive(Debug)]
pub struct Matrix {
    columns: usize,
    kept: Kept,
}

#[derive(Debug)]
enum Kept {
    Floats(Vec<f32>),
    Bytes { values: Vec<i8>, scales: Vec<f32> },
}

/// How a matrix is kept.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// In f32.
    Floats,
    /// In 8 bits with a scale a row.
    Bytes,
}

impl Matrix {
    /// Values whose sizes differ by magnitudes. In 8 bits that is every byte there is, and scales of both signs, some of
    /// them zero.
    pub fn new(random: &mut Random, form: Form, rows: usize, columns: usize) -> Self {
        let kept = match form {
            Form::Floats => Kept::Floats(random.wild(rows * columns, 1.0)),
            Form::Bytes => {
                let values = (0..rows * columns).map(|_| random.bits() as i8).collect();
                let mut scales = random.wild(rows, 1.0 / 127.0);
                scales.iter_mut().filter(|_| random.below(9) == 0).for_each(|scale| *scale = 0.0);
                Kept::Bytes { values, scales }
            }
        };
        Matrix { columns, kept }
    }

    /// Rows of bytes, each with its scale.
    pub fn from_bytes(values: Vec<i8>, scales: Vec<f32>) -> Self {
        Matrix { columns: values.len() / scales.len(), kept: Kept::Bytes { values, scales } }
    }

    /// Its values as floats.
    pub fn floats(&self) -> Vec<f32> {
        match &self.kept {
            Kept::Floats(values) => values.clone(),
            Kept::Bytes { values, scales } => {
                let rows = values.chunks(self.columns).zip(scales);
                rows.flat_map(|(row, scale)| row.iter().map(move |value| f32::from(*value) * scale)).collect()
            }
        }
    }

    /// Packed for products with it.
    pub fn packed(&self, simd: Simd) -> PackedMatrix {
        match &self.kept {
            Kept::Floats(values) => {
                PackedMatrix::from_f32(values, values.len() / self.columns, self.columns, simd)
            }
            Kept::Bytes { values, scales } => {
                PackedMatrix::from_q8(values, scales.clone(), self.columns, simd)
            }
        }
    }

    /// As a checkpoint gives it to an executor.
    pub fn values(&self) -> ParameterData {
        match &self.kept {
            Kept::Floats(values) => {
                let shape = vec![values.len() / self.columns, self.columns];
                ParameterData::F32(Tensor { shape, data: values.clone() })
            }
            Kept::Bytes { values, scales } => ParameterData::Q8(Q8Tensor {
                shape: vec![scales.len(), self.columns],
                values: values.clone(),
                scales: scales.clone(),
            }),
        }
    }

    /// As a table that rows are read from.
    pub fn table(&self) -> Table {
        match &self.kept {
            Kept::Floats(values) => Table::from_f32(values.clone(), self.columns),
            Kept::Bytes { values, scales } => Table::from_q8(values.clone(), scales.clone(), self.columns),
        }
    }
}
