//! Matrices in the precisions that executors store them in.

use mobilebert::kernels::{PackedMatrix, Simd, Table};
use mobilebert::weights::{PackedTensor, PackedValues, ParameterData, Q4_GROUP, Q8Tensor, Tensor};

use super::random::Random;

/// Magnitudes of hidden states in trained networks.
pub const SIZES: [f32; 4] = [1e-3, 1.0, 1e4, 2.5e7];

/// A row-major matrix.
#[derive(Debug)]
pub struct Matrix {
    columns: usize,
    data: MatrixData,
}

#[derive(Debug)]
enum MatrixData {
    F32(Vec<f32>),
    Q8 { values: Vec<i8>, scales: Vec<f32> },
    Packed(PackedTensor),
}

/// The storage of a matrix.
#[derive(Clone, Copy, Debug)]
pub enum Precision {
    /// 32-bit floats.
    F32,
    /// Bytes with one scale per row.
    Q8,
    /// 16-bit floats with one scale per row.
    F16,
    /// 4-bit integers with one scale per group and one per row; rows are whole groups.
    Q4,
}

/// All of them.
pub const PRECISIONS: [Precision; 4] = [Precision::F32, Precision::F16, Precision::Q8, Precision::Q4];

/// Those of rows with this many columns.
pub fn precisions_of(columns: usize) -> &'static [Precision] {
    if columns.is_multiple_of(Q4_GROUP) { &PRECISIONS } else { &PRECISIONS[..3] }
}

impl Matrix {
    /// Random values of mixed magnitudes. With q8, all byte values occur, and scales are positive, negative, or zero.
    pub fn new(random: &mut Random, precision: Precision, rows: usize, columns: usize) -> Self {
        let data = match precision {
            Precision::F32 => MatrixData::F32(random.mixed_magnitudes(rows * columns, 1.0)),
            Precision::Q8 => {
                let values = (0..rows * columns).map(|_| random.bits() as i8).collect();
                let mut scales = random.mixed_magnitudes(rows, 1.0 / 127.0);
                scales.iter_mut().filter(|_| random.below(9) == 0).for_each(|scale| *scale = 0.0);
                MatrixData::Q8 { values, scales }
            }
            Precision::F16 => {
                let values = PackedValues::F16(halves(random, rows * columns));
                let scales = random.mixed_magnitudes(rows, 1.0);
                MatrixData::Packed(PackedTensor { shape: vec![rows, columns], values, scales })
            }
            Precision::Q4 => {
                let nibbles = (0..rows * columns / 2).map(|_| random.bits() as u8).collect();
                let groups = halves(random, rows * columns / Q4_GROUP);
                let scales = random.mixed_magnitudes(rows, 1.0);
                let values = PackedValues::Q4 { nibbles, groups };
                MatrixData::Packed(PackedTensor { shape: vec![rows, columns], values, scales })
            }
        };
        Matrix { columns, data }
    }

    /// A q8 matrix; `scales` has one scale per row.
    pub fn from_bytes(values: Vec<i8>, scales: Vec<f32>) -> Self {
        Matrix { columns: values.len() / scales.len(), data: MatrixData::Q8 { values, scales } }
    }

    /// The values as floats.
    pub fn floats(&self) -> Vec<f32> {
        match &self.data {
            MatrixData::F32(values) => values.clone(),
            MatrixData::Q8 { values, scales } => {
                let rows = values.chunks(self.columns).zip(scales);
                rows.flat_map(|(row, scale)| row.iter().map(move |value| f32::from(*value) * scale)).collect()
            }
            MatrixData::Packed(tensor) => {
                ParameterData::Packed(tensor.clone()).into_f32("matrix").expect("it fits").data
            }
        }
    }

    /// Packed for matrix products.
    pub fn packed(&self, simd: Simd) -> PackedMatrix {
        match &self.data {
            MatrixData::F32(values) => {
                PackedMatrix::from_f32(values, values.len() / self.columns, self.columns, simd)
            }
            MatrixData::Q8 { values, scales } => {
                PackedMatrix::from_q8(values, scales.clone(), self.columns, simd)
            }
            MatrixData::Packed(PackedTensor { values, scales, .. }) => match values {
                PackedValues::F16(values) => {
                    PackedMatrix::from_f16(values, scales.clone(), self.columns, simd)
                }
                PackedValues::Q4 { nibbles, groups } => {
                    PackedMatrix::from_q4(nibbles, groups, scales.clone(), self.columns, simd)
                }
            },
        }
    }

    /// Unpacked to floats, then packed for matrix products.
    pub fn packed_floats(&self, simd: Simd) -> PackedMatrix {
        let floats = self.floats();
        PackedMatrix::from_f32(&floats, floats.len() / self.columns, self.columns, simd)
    }

    /// In the form that executors load.
    pub fn values(&self) -> ParameterData {
        match &self.data {
            MatrixData::F32(values) => {
                let shape = vec![values.len() / self.columns, self.columns];
                ParameterData::F32(Tensor { shape, data: values.clone() })
            }
            MatrixData::Q8 { values, scales } => ParameterData::Q8(Q8Tensor {
                shape: vec![scales.len(), self.columns],
                values: values.clone(),
                scales: scales.clone(),
            }),
            MatrixData::Packed(tensor) => ParameterData::Packed(tensor.clone()),
        }
    }

    /// As a lookup table.
    pub fn table(&self) -> Table {
        match &self.data {
            MatrixData::F32(values) => Table::from_f32(values.clone(), self.columns),
            MatrixData::Q8 { values, scales } => Table::from_q8(values.clone(), scales.clone(), self.columns),
            MatrixData::Packed(PackedTensor { values, scales, .. }) => match values.clone() {
                PackedValues::F16(values) => Table::from_f16(values, scales.clone(), self.columns),
                PackedValues::Q4 { nibbles, groups } => {
                    Table::from_q4(nibbles, groups, scales.clone(), self.columns)
                }
            },
        }
    }
}

/// The bits of random 16-bit floats of either sign, from 2⁻¹⁰ to 1 in magnitude.
fn halves(random: &mut Random, len: usize) -> Vec<u16> {
    let bits = |random: &mut Random| random.bits() as u16 & 0x83ff | ((5 + random.below(10)) as u16) << 10;
    (0..len).map(|_| bits(random)).collect()
}
