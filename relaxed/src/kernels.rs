//! The main module's sources, and this module's instruction set.

#[path = "../../src/kernels/relaxed/call.rs"]
pub mod call;
#[path = "../../src/kernels/functions/mod.rs"]
mod functions;
#[path = "../../src/kernels/panels.rs"]
mod panels;
#[path = "../../src/kernels/product/mod.rs"]
mod product;
mod simd;

pub use simd::Simd;
