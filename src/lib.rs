//! MobileBERT and its relatives (BERT, MiniLM, DistilBERT, IB-BERT) as WGSL compute shaders driven through wgpu,
//! with a CPU twin of every kernel. Natively and, compiled to WebAssembly, in browsers.
//!
//! The house, in the order in which data flows:
//!
//! | module | does |
//! |---|---|
//! | [`config`] | `config.json` → `Config`, checked |
//! | [`text`] | text → token ids, windows over long contexts, offsets back to the source |
//! | [`weights`] | bytes → named, checked tensors |
//! | [`plan`] | configuration and length → typed steps over named buffers; knows no device |
//! | [`kernels`] | one module a kernel: its table entry, its parameters, its CPU twin |
//! | [`cpu`], [`gpu`] | run a plan; [`executor`] is one of the two |
//! | [`session`] | picks the executor and says why; keeps plans by length |
//! | [`task`] | logits → answers |
//! | [`model`] | a model directory → something one can ask |
//! | [`benchmark`] | runs over fixed ids, timed and checked |

#![deny(missing_docs)]

pub mod benchmark;
mod clock;
pub mod config;
pub mod cpu;
pub mod error;
pub mod executor;
pub mod gpu;
pub mod kernels;
pub mod model;
pub mod plan;
pub mod profile;
pub mod session;
pub mod task;
pub mod text;
#[cfg(target_arch = "wasm32")]
pub mod wasm;
pub mod weights;
