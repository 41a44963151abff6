//! Bytes → named, checked tensors.
//!
//! [`Stream`] cuts a safetensors file that comes in chunks into [`RawTensor`]s; [`Assembler`] turns those into the
//! parameters of a network, each as soon as everything it is made from is there, and frees what nobody needs any more.

mod assembler;
mod decode;
pub mod generator;
mod header;
mod index;
pub mod manifest;
pub mod quantize;
mod storage;
mod store;
mod stream;
mod tensor;

pub use assembler::Assembler;
pub use decode::{Q4_GROUP, decode};
pub use generator::Generator;
pub use header::{Entry, Header};
pub use index::ShardIndex;
pub use manifest::Manifest;
pub use quantize::{Converted, Quantizer, TensorReport};
pub use safetensors::Dtype;
pub use storage::Storage;
pub use stream::Stream;
pub use tensor::{ParameterData, Q8Tensor, RawTensor, Tensor};

/// What a quantised matrix' scales are named: `X.weight.scale` beside `X.weight`.
pub const SCALE_SUFFIX: &str = ".scale";
