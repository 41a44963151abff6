//! Bytes → named, checked tensors.

mod tensor;

pub use tensor::Tensor;
