//! Tensors in memory, and as stored in a file.

use half::f16;
use safetensors::Dtype;

use crate::error::{Error, Result};
use crate::kernels::WeightFormat;

use super::decode::Q4_GROUP;

/// Row-major f32 values and their shape. `data.len()` is the product of `shape`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Sizes, outermost first; empty for a scalar.
    pub shape: Vec<usize>,
    /// The values in row-major order.
    pub data: Vec<f32>,
}

/// The data of a parameter, in the form produced by its recipe.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterData {
    /// Sizes, outermost first; two unless the values are floats.
    pub shape: Vec<usize>,
    /// The values in row-major order.
    pub values: Values,
    /// One factor per row; empty if the values are floats.
    pub scales: Vec<f32>,
}

/// Row-major values as stored.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Floats.
    F32(Vec<f32>),
    /// The bits of 16-bit floats.
    F16(Vec<u16>),
    /// Signed bytes.
    Q8(Vec<i8>),
    /// 4-bit integers in groups of [`super::Q4_GROUP`] columns.
    Q4 {
        /// Two per byte, low nibble first, in two's complement.
        nibbles: Vec<u8>,
        /// The bits of each group's scale, a 16-bit float.
        groups: Vec<u16>,
    },
}

impl ParameterData {
    /// Returns whether the numbers of values and scales match the shape.
    pub fn is_whole(&self) -> bool {
        let len = self.shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
        let rows = match (&self.values, self.shape.as_slice()) {
            (Values::F32(_), _) => 0,
            (Values::Q4 { .. }, &[_, columns]) if !columns.is_multiple_of(Q4_GROUP) => return false,
            (_, &[rows, _]) => rows,
            _ => return false,
        };
        len.is_some_and(|len| self.values.have(len)) && self.scales.len() == rows
    }

    /// Converts to floats; `name` is for error messages.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn into_f32(self, name: &str) -> Result<Tensor> {
        let len = self.shape.iter().product();
        let data = match self.values {
            Values::F32(data) => data,
            _ => {
                let mut data = reserve(len, name)?;
                (0..self.shape[0]).for_each(|row| data.extend(self.row(row)));
                data
            }
        };
        Ok(Tensor { shape: self.shape, data })
    }

    /// The values of a matrix's row, scaled.
    pub(super) fn row(&self, row: usize) -> impl Iterator<Item = f32> + '_ {
        let columns = self.shape[1];
        let scale = self.scales.get(row).copied().unwrap_or(1.0);
        (row * columns..(row + 1) * columns).map(move |index| scale * self.values.get(index))
    }
}

impl Values {
    /// The format of the values.
    pub fn format(&self) -> WeightFormat {
        match self {
            Values::F32(_) => WeightFormat::F32,
            Values::F16(_) => WeightFormat::F16,
            Values::Q8(_) => WeightFormat::Q8,
            Values::Q4 { .. } => WeightFormat::Q4,
        }
    }

    /// Returns whether there are `len` values.
    fn have(&self, len: usize) -> bool {
        match self {
            Values::F32(values) => values.len() == len,
            Values::F16(values) => values.len() == len,
            Values::Q8(values) => values.len() == len,
            Values::Q4 { nibbles, groups } => 2 * nibbles.len() == len && groups.len() * Q4_GROUP == len,
        }
    }

    fn get(&self, index: usize) -> f32 {
        let float = |bits: u16| f16::from_bits(bits).to_f32();
        match self {
            Values::F32(values) => values[index],
            Values::F16(values) => float(values[index]),
            Values::Q8(values) => f32::from(values[index]),
            Values::Q4 { nibbles, groups } => {
                let byte = nibbles[index / 2];
                let nibble = if index.is_multiple_of(2) { (byte << 4) as i8 >> 4 } else { byte as i8 >> 4 };
                f32::from(nibble) * float(groups[index / Q4_GROUP])
            }
        }
    }
}

impl From<Tensor> for ParameterData {
    fn from(Tensor { shape, data }: Tensor) -> Self {
        ParameterData { shape, values: Values::F32(data), scales: Vec::new() }
    }
}

/// Allocates memory for `len` floats of the tensor `name`.
pub(super) fn reserve(len: usize, name: &str) -> Result<Vec<f32>> {
    let mut data = Vec::new();
    data.try_reserve_exact(len)
        .map_err(|_| Error::OutOfMemory { what: format!("tensor `{name}`"), bytes: len as u64 * 4 })?;
    Ok(data)
}

/// A tensor of a file, not decoded: little-endian bytes of any alignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawTensor {
    /// Name in the checkpoint.
    pub name: String,
    /// Data type as stored.
    pub dtype: Dtype,
    /// Shape as stored, outermost first.
    pub shape: Vec<usize>,
    /// The values as stored, row-major.
    pub bytes: Vec<u8>,
}
