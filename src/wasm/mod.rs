//! The module's JavaScript API, for the npm package in `pkg/`: a loader that takes bytes, a model with one
//! method per task, and errors as `{ code, message, detail }`. Arguments and results are plain objects;
//! offsets are UTF-16 units.

#[cfg(feature = "benchmark")]
mod benchmark;
mod convert;
mod failure;
mod helpers;
mod loader;
mod memory;
mod model;
mod options;
mod quantizer;
mod simd;
mod tasks;

#[cfg(feature = "benchmark")]
pub use benchmark::{WasmBenchmark, WasmSeeding};
pub use loader::WasmLoader;
pub use memory::refused_bytes;
pub use model::WasmModel;
pub use quantizer::WasmQuantizer;
pub use simd::install_relaxed;
