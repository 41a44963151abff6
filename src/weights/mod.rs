//! Bytes → named, checked tensors.
//!
//! [`Stream`] splits a safetensors or PyTorch file that arrives in chunks into [`RawTensor`]s; [`Assembler`]
//! turns those into the parameters of a network, each as soon as its tensors have arrived, and frees tensors
//! that are no longer needed.

mod assembler;
mod decode;
mod formats;
pub mod generator;
mod header;
mod index;
pub mod manifest;
pub mod quantize;
mod safetensors_file;
mod storage;
mod store;
mod stream;
mod tensor;

pub use crate::kernels::WeightFormat;
pub use assembler::Assembler;
pub use decode::{Q4_GROUP, decode};
pub use generator::Generator;
pub use header::{Entry, Header};
pub use index::ShardIndex;
pub use manifest::Manifest;
pub use quantize::{Converted, Quantizer, TensorReport};
pub use safetensors::Dtype;
pub use safetensors_file::SafetensorsFile;
pub use stream::Stream;
pub use tensor::{ParameterData, RawTensor, Tensor, Values};

/// Suffix of the scales of a quantized matrix: `X.weight.scale` for `X.weight`.
pub const SCALE_SUFFIX: &str = ".scale";
