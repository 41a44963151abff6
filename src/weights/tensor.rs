//! Tensors in memory, and as stored in a file.

use safetensors::Dtype;

use crate::error::{Error, Result};

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

/// The data of a parameter, in the form that its recipe produces.
#[derive(Clone, Debug, PartialEq)]
pub enum ParameterData {
    /// Floats.
    F32(Tensor),
    /// A matrix or table stored as q8.
    Q8(Q8Tensor),
}

impl ParameterData {
    /// Sizes, outermost first.
    pub fn shape(&self) -> &[usize] {
        match self {
            ParameterData::F32(tensor) => &tensor.shape,
            ParameterData::Q8(tensor) => &tensor.shape,
        }
    }

    /// Whether the numbers of values and scales match the shape.
    pub fn is_whole(&self) -> bool {
        let len = self.shape().iter().try_fold(1usize, |product, &size| product.checked_mul(size));
        match self {
            ParameterData::F32(tensor) => len == Some(tensor.data.len()),
            ParameterData::Q8(Q8Tensor { shape, values, scales }) => {
                len == Some(values.len()) && shape.len() == 2 && shape[0] == scales.len()
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

/// A tensor of a safetensors file, not decoded: little-endian bytes of any alignment.
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
