//! What the kernels use of a plan.

#[path = "../../src/config/activation.rs"]
mod activation;

pub use activation::Activation;
