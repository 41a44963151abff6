//! A tensor of f32 in memory, named by whoever holds it.

/// Row-major f32 values and their shape; `data.len()` is the product of `shape`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Sizes, outermost first; empty for a scalar.
    pub shape: Vec<usize>,
    /// The values in row-major order.
    pub data: Vec<f32>,
}
