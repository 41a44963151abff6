//! Matrices in the precisions that executors store them in.

use mobilebert::kernels::{PackedMatrix, Simd, Table};
use mobilebert::weights::{ParameterData, Q4_GROUP, Values};

use super::random::Random;

/// Magnitudes of hidden states in trained networks.
pub const SIZES: [f32; 4] = [1e-3, 1.0, 1e4, 2.5e7];

/// A row-major matrix.
#[derive(Debug)]
pub struct Matrix {
    columns: usize,
    data: ParameterData,
}

/// How a matrix is stored.
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

/// The precisions that support rows with this many columns.
pub fn precisions_of(columns: usize) -> &'static [Precision] {
    if columns.is_multiple_of(Q4_GROUP) { &PRECISIONS } else { &PRECISIONS[..3] }
}

impl Matrix {
    /// Random values of mixed magnitudes. With q8, all byte values occur, and scales are positive, negative, or zero.
    pub fn new(random: &mut Random, precision: Precision, rows: usize, columns: usize) -> Self {
        let len = rows * columns;
        let (values, scales) = match precision {
            Precision::F32 => (Values::F32(random.mixed_magnitudes(len, 1.0)), Vec::new()),
            Precision::Q8 => {
                let values = (0..len).map(|_| random.bits() as i8).collect();
                let mut scales = random.mixed_magnitudes(rows, 1.0 / 127.0);
                scales.iter_mut().filter(|_| random.below(9) == 0).for_each(|scale| *scale = 0.0);
                (Values::Q8(values), scales)
            }
            Precision::F16 => (Values::F16(halves(random, len)), random.mixed_magnitudes(rows, 1.0)),
            Precision::Q4 => {
                let nibbles = (0..len / 2).map(|_| random.bits() as u8).collect();
                let groups = halves(random, len / Q4_GROUP);
                (Values::Q4 { nibbles, groups }, random.mixed_magnitudes(rows, 1.0))
            }
        };
        Matrix { columns, data: ParameterData { shape: vec![rows, columns], values, scales } }
    }

    /// A q8 matrix; `scales` has one scale per row.
    pub fn from_bytes(values: Vec<i8>, scales: Vec<f32>) -> Self {
        let columns = values.len() / scales.len();
        let shape = vec![scales.len(), columns];
        Matrix { columns, data: ParameterData { shape, values: Values::Q8(values), scales } }
    }

    /// The values as floats.
    pub fn floats(&self) -> Vec<f32> {
        self.values().into_f32("matrix").expect("it fits").data
    }

    /// Packed for matrix products.
    pub fn packed(&self, simd: Simd) -> PackedMatrix {
        let ParameterData { shape, values, scales } = self.values();
        match values {
            Values::F32(values) => PackedMatrix::from_f32(&values, shape[0], self.columns, simd),
            Values::F16(values) => PackedMatrix::from_f16(&values, scales, self.columns, simd),
            Values::Q8(values) => PackedMatrix::from_q8(&values, scales, self.columns, simd),
            Values::Q4 { nibbles, groups } => {
                PackedMatrix::from_q4(&nibbles, &groups, scales, self.columns, simd)
            }
        }
    }

    /// Unpacked to floats, then packed for matrix products.
    pub fn packed_floats(&self, simd: Simd) -> PackedMatrix {
        let floats = self.floats();
        PackedMatrix::from_f32(&floats, floats.len() / self.columns, self.columns, simd)
    }

    /// In the form that executors load.
    pub fn values(&self) -> ParameterData {
        self.data.clone()
    }

    /// As a lookup table.
    pub fn table(&self) -> Table {
        let ParameterData { values, scales, .. } = self.values();
        match values {
            Values::F32(values) => Table::from_f32(values, self.columns),
            Values::F16(values) => Table::from_f16(values, scales, self.columns),
            Values::Q8(values) => Table::from_q8(values, scales, self.columns),
            Values::Q4 { nibbles, groups } => Table::from_q4(nibbles, groups, scales, self.columns),
        }
    }
}

/// The bits of random 16-bit floats of either sign, from 2⁻¹⁰ to 1 in magnitude.
fn halves(random: &mut Random, len: usize) -> Vec<u16> {
    let bits = |random: &mut Random| random.bits() as u16 & 0x83ff | ((5 + random.below(10)) as u16) << 10;
    (0..len).map(|_| bits(random)).collect()
}
