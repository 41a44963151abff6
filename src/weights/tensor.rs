//! A tensor of f32 in memory, and one as it stands in a file.

use safetensors::Dtype;

/// Row-major f32 values and their shape; `data.len()` is the product of `shape`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Sizes, outermost first; empty for a scalar.
    pub shape: Vec<usize>,
    /// The values in row-major order.
    pub data: Vec<f32>,
}

/// A tensor of a safetensors file, undecoded: little-endian bytes that need not be aligned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawTensor {
    /// The checkpoint's name.
    pub name: String,
    /// Type of the values as stored.
    pub dtype: Dtype,
    /// Sizes as stored, outermost first.
    pub shape: Vec<usize>,
    /// The values as stored, row-major.
    pub bytes: Vec<u8>,
}
