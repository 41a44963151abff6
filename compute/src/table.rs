//! Lookup tables whose rows are gathered by index, such as word vectors. They keep their stored format.

use crate::functions;
use crate::panels::{Q4_GROUP, check_q4};
use crate::simd::{half, nibbles};

/// A table `[rows, features]`.
#[derive(Clone, Debug)]
pub struct Table {
    values: TableData,
    /// One per row; empty for floats.
    scales: Vec<f32>,
    features: usize,
}

#[derive(Clone, Debug)]
enum TableData {
    F32(Vec<f32>),
    Q8(Vec<i8>),
    F16(Vec<u16>),
    Q4 { nibbles: Vec<u8>, groups: Vec<u16> },
}

impl Table {
    /// A table of rows of `features` floats; `features` is at least 1.
    pub fn from_f32(values: Vec<f32>, features: usize) -> Self {
        assert!(values.len().is_multiple_of(features), "the last row of a table is complete");
        Table { values: TableData::F32(values), scales: Vec::new(), features }
    }

    /// A table of rows of bytes with one scale per row.
    pub fn from_q8(values: Vec<i8>, scales: Vec<f32>, features: usize) -> Self {
        assert_eq!(values.len(), scales.len() * features, "every row has a scale");
        Table { values: TableData::Q8(values), scales, features }
    }

    /// A table of rows of finite 16-bit floats, given by their bits, with one scale per row.
    pub fn from_f16(values: Vec<u16>, scales: Vec<f32>, features: usize) -> Self {
        assert_eq!(values.len(), scales.len() * features, "every row has a scale");
        Table { values: TableData::F16(values), scales, features }
    }

    /// A table of rows of 4-bit integers, as in [`crate::PackedMatrix::from_q4`].
    pub fn from_q4(nibbles: Vec<u8>, groups: Vec<u16>, scales: Vec<f32>, features: usize) -> Self {
        check_q4(&nibbles, &groups, scales.len(), features);
        Table { values: TableData::Q4 { nibbles, groups }, scales, features }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        match &self.values {
            TableData::F32(values) => values.len() / self.features,
            _ => self.scales.len(),
        }
    }

    /// Length of a row.
    pub fn features(&self) -> usize {
        self.features
    }

    /// Size in memory in bytes.
    pub fn bytes(&self) -> usize {
        let values = match &self.values {
            TableData::F32(values) => size_of_val(values.as_slice()),
            TableData::Q8(values) => values.len(),
            TableData::F16(values) => size_of_val(values.as_slice()),
            TableData::Q4 { nibbles, groups } => nibbles.len() + size_of_val(groups.as_slice()),
        };
        values + size_of_val(self.scales.as_slice())
    }

    /// Writes a row to `to`, which has the same length.
    pub fn copy_row(&self, row: usize, to: &mut [f32]) {
        self.unpack(row, 0, to);
    }

    /// Adds a row to `to`, which has the same length.
    #[inline(never)]
    pub fn add_row(&self, row: usize, to: &mut [f32]) {
        for (index, to) in to.chunks_mut(Q4_GROUP).enumerate() {
            let mut values = [0.0; Q4_GROUP];
            let values = &mut values[..to.len()];
            self.unpack(row, index * Q4_GROUP, values);
            functions::add(to, values);
        }
    }

    /// Unpacks the values of a row, starting at a column.
    #[inline(never)]
    fn unpack(&self, row: usize, column: usize, to: &mut [f32]) {
        let (start, len) = (row * self.features + column, to.len());
        let scale = self.scales.get(row).copied().unwrap_or(1.0);
        match &self.values {
            TableData::F32(values) => to.copy_from_slice(&values[start..][..len]),
            TableData::Q8(values) => {
                for (to, &value) in to.iter_mut().zip(&values[start..][..len]) {
                    *to = scale * f32::from(value);
                }
            }
            TableData::F16(values) => {
                for (to, &bits) in to.iter_mut().zip(&values[start..][..len]) {
                    *to = scale * half(bits);
                }
            }
            TableData::Q4 { nibbles: bytes, groups } => {
                for (place, to) in (start..).zip(to) {
                    let value = nibbles(bytes[place / 2])[place % 2];
                    *to = scale * (value * half(groups[place / Q4_GROUP]));
                }
            }
        }
    }
}
