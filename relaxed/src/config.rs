//! The types of the configuration that the kernels use.

#[path = "../../src/config/activation.rs"]
mod activation;

pub use activation::Activation;
