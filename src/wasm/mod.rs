//! What JavaScript sees: a loader that takes bytes, a model that answers, errors as `{ code, message, detail }`.
//! Arguments and results are plain objects; offsets are UTF-16 units. The npm package in `pkg/` stands on this.

mod benchmark;
mod convert;
mod failure;
mod loader;
mod memory;
mod model;
mod options;
mod tasks;

pub use benchmark::{WasmBenchmark, WasmSeeding};
pub use loader::WasmLoader;
pub use memory::refused_bytes;
pub use model::WasmModel;
