//! Lookup tables whose rows are gathered by index, such as word vectors.

use super::functions;

/// A table `[rows, features]`.
#[derive(Clone, Debug)]
pub struct Table {
    values: TableData,
    features: usize,
}

#[derive(Clone, Debug)]
enum TableData {
    F32(Vec<f32>),
    /// Each row is its bytes times its scale.
    Q8 {
        values: Vec<i8>,
        scales: Vec<f32>,
    },
}

impl Table {
    /// A table of rows of `features` floats; `features` is at least 1.
    pub fn from_f32(values: Vec<f32>, features: usize) -> Self {
        assert!(values.len().is_multiple_of(features), "the last row of a table is complete");
        Table { values: TableData::F32(values), features }
    }

    /// A table of rows of bytes with one scale per row.
    pub fn from_q8(values: Vec<i8>, scales: Vec<f32>, features: usize) -> Self {
        assert_eq!(values.len(), scales.len() * features, "every row has a scale");
        Table { values: TableData::Q8 { values, scales }, features }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        match &self.values {
            TableData::F32(values) => values.len() / self.features,
            TableData::Q8 { scales, .. } => scales.len(),
        }
    }

    /// Length of a row.
    pub fn features(&self) -> usize {
        self.features
    }

    /// Size in memory in bytes.
    pub fn bytes(&self) -> usize {
        match &self.values {
            TableData::F32(values) => size_of_val(values.as_slice()),
            TableData::Q8 { values, scales } => values.len() + size_of_val(scales.as_slice()),
        }
    }

    pub(super) fn copy_row(&self, row: usize, to: &mut [f32]) {
        match &self.values {
            TableData::F32(values) => to.copy_from_slice(self.row(values, row)),
            TableData::Q8 { values, scales } => {
                for (to, value) in to.iter_mut().zip(self.row(values, row)) {
                    *to = f32::from(*value) * scales[row];
                }
            }
        }
    }

    pub(super) fn add_row(&self, row: usize, to: &mut [f32]) {
        match &self.values {
            TableData::F32(values) => functions::add(to, self.row(values, row)),
            TableData::Q8 { values, scales } => {
                for (to, value) in to.iter_mut().zip(self.row(values, row)) {
                    *to += f32::from(*value) * scales[row];
                }
            }
        }
    }

    fn row<'a, T>(&self, values: &'a [T], row: usize) -> &'a [T] {
        &values[row * self.features..][..self.features]
    }
}
