//! Tensors in memory, and as stored in a file.

use half::f16;
use safetensors::Dtype;

use crate::error::{Error, Result};

use super::decode::Q4_GROUP;

/// Row-major f32 values and their shape. `data.len()` is the product of `shape`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Sizes, outermost first; empty for a scalar.
    pub shape: Vec<usize>,
    /// The values in row-major order.
    pub data: Vec<f32>,
}

/// An 8-bit matrix: row `r` is `scales[r] · values[r]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Q8Tensor {
    /// Rows and columns.
    pub shape: Vec<usize>,
    /// The values in row-major order.
    pub values: Vec<i8>,
    /// One per row.
    pub scales: Vec<f32>,
}

/// A matrix of packed floats: row `r` is `scales[r]` times its values.
#[derive(Clone, Debug, PartialEq)]
pub struct PackedTensor {
    /// Rows and columns.
    pub shape: Vec<usize>,
    /// The values.
    pub values: PackedValues,
    /// One per row.
    pub scales: Vec<f32>,
}

/// Row-major values in fewer bits than a float.
#[derive(Clone, Debug, PartialEq)]
pub enum PackedValues {
    /// The bits of 16-bit floats.
    F16(Vec<u16>),
    /// 4-bit integers in groups of [`super::Q4_GROUP`] columns.
    Q4 {
        /// Two per byte, the low one first, in two's complement.
        nibbles: Vec<u8>,
        /// The bits of the 16-bit float that each group is multiplied by.
        groups: Vec<u16>,
    },
}

impl PackedTensor {
    /// The values of a row, scaled.
    pub(super) fn row(&self, row: usize) -> impl Iterator<Item = f32> + '_ {
        let columns = self.shape[1];
        let scale = self.scales[row];
        (row * columns..(row + 1) * columns).map(move |index| scale * self.values.get(index))
    }

    fn to_f32(&self, name: &str) -> Result<Tensor> {
        let mut data = reserve(self.shape.iter().product(), name)?;
        (0..self.shape[0]).for_each(|row| data.extend(self.row(row)));
        Ok(Tensor { shape: self.shape.clone(), data })
    }
}

impl PackedValues {
    fn get(&self, index: usize) -> f32 {
        let float = |bits: u16| f16::from_bits(bits).to_f32();
        match self {
            PackedValues::F16(values) => float(values[index]),
            PackedValues::Q4 { nibbles, groups } => {
                let byte = nibbles[index / 2];
                let nibble = if index.is_multiple_of(2) { (byte << 4) as i8 >> 4 } else { byte as i8 >> 4 };
                f32::from(nibble) * float(groups[index / Q4_GROUP])
            }
        }
    }

    /// Returns whether there are as many values as a shape says.
    fn is_whole(&self, shape: &[usize]) -> bool {
        let [rows, columns] = *shape else { return false };
        let Some(len) = rows.checked_mul(columns) else { return false };
        match self {
            PackedValues::F16(values) => values.len() == len,
            PackedValues::Q4 { nibbles, groups } => {
                columns.is_multiple_of(Q4_GROUP) && 2 * nibbles.len() == len && groups.len() * Q4_GROUP == len
            }
        }
    }
}

/// The data of a parameter, in the form that its recipe produces.
#[derive(Clone, Debug, PartialEq)]
pub enum ParameterData {
    /// Floats.
    F32(Tensor),
    /// A matrix or table stored as q8.
    Q8(Q8Tensor),
    /// A matrix or table stored as f16 or q4.
    Packed(PackedTensor),
}

impl ParameterData {
    /// Sizes, outermost first.
    pub fn shape(&self) -> &[usize] {
        match self {
            ParameterData::F32(tensor) => &tensor.shape,
            ParameterData::Q8(tensor) => &tensor.shape,
            ParameterData::Packed(tensor) => &tensor.shape,
        }
    }

    /// Returns whether the numbers of values and scales match the shape.
    pub fn is_whole(&self) -> bool {
        let len = self.shape().iter().try_fold(1usize, |product, &size| product.checked_mul(size));
        match self {
            ParameterData::F32(tensor) => len == Some(tensor.data.len()),
            ParameterData::Q8(Q8Tensor { shape, values, scales }) => {
                len == Some(values.len()) && shape.len() == 2 && shape[0] == scales.len()
            }
            ParameterData::Packed(PackedTensor { shape, values, scales }) => {
                values.is_whole(shape) && shape[0] == scales.len()
            }
        }
    }

    /// Converts to floats; `name` is for error messages.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn into_f32(self, name: &str) -> Result<Tensor> {
        match self {
            ParameterData::F32(tensor) => Ok(tensor),
            ParameterData::Q8(tensor) => tensor.to_f32(name),
            ParameterData::Packed(tensor) => tensor.to_f32(name),
        }
    }
}

impl From<Tensor> for ParameterData {
    fn from(tensor: Tensor) -> Self {
        ParameterData::F32(tensor)
    }
}

impl Q8Tensor {
    fn to_f32(&self, name: &str) -> Result<Tensor> {
        let mut data = reserve(self.values.len(), name)?;
        let columns = self.shape.last().map_or(1, |&columns| columns.max(1));
        for (row, scale) in self.values.chunks(columns).zip(&self.scales) {
            data.extend(row.iter().map(|value| f32::from(*value) * scale));
        }
        Ok(Tensor { shape: self.shape.clone(), data })
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
