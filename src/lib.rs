//! MobileBERT and its relatives (BERT, MiniLM, TinyBERT, DistilBERT, IB-BERT) in WGSL compute shaders driven through
//! wgpu, with a CPU twin of every kernel: natively and, compiled to WebAssembly, in browsers.
//!
//! # Quick start
//!
//! A model is a directory as `transformers` saves it: `config.json`, `model.safetensors`, and `tokenizer.json` or
//! `vocab.txt`. Answers are slices of the passage, which may be of any length.
//!
//! ```no_run
//! use mobilebert::model::{AskOptions, QuestionAnswering};
//! use mobilebert::session::SessionOptions;
//!
//! # async fn ask() -> mobilebert::error::Result<()> {
//! let mut qa = QuestionAnswering::open("models/mobilebert-squad", &SessionOptions::default()).await?;
//! let passage = "The cat sat on the mat.";
//! let reply = qa.ask("Who sat on the mat?", passage, &AskOptions::default()).await?;
//! for answer in &reply.answers {
//!     println!("{:.2} {}", answer.probability, &passage[answer.start_byte..answer.end_byte]);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Calls are `async` because a GPU's results arrive later; natively, `pollster::block_on` is enough. By
//! default, a model runs on the GPU if there is a hardware GPU and it is measured to be faster, otherwise on
//! the CPU; [`QuestionAnswering::device`] says which, and why.
//!
//! No files are needed for a network with generated weights: here a MobileBERT with two layers, on the CPU.
//!
//! ```
//! use mobilebert::benchmark::Seeding;
//! use mobilebert::config::Config;
//! use mobilebert::session::{Device, SessionOptions};
//!
//! # fn main() -> mobilebert::error::Result<()> {
//! let config = Config::from_json(
//!     br#"{"model_type": "mobilebert", "architectures": ["MobileBertForQuestionAnswering"],
//!          "num_hidden_layers": 2, "vocab_size": 100}"#,
//! )?;
//! let options = SessionOptions { device: Device::Cpu, ..SessionOptions::default() };
//! let run = pollster::block_on(async {
//!     let (mut network, _times) = Seeding::new(&config, 1, &options).await?.finish().await?;
//!     network.run(16, 1).await // one sequence of 16 tokens
//! })?;
//! let start_logits = run.outputs.get("start_logits").map(|tensor| tensor.data.len());
//! assert_eq!(start_logits, Some(16));
//! # Ok(())
//! # }
//! ```
//!
//! # Modules
//!
//! In the order in which data flows:
//!
//! | module | does |
//! |---|---|
//! | [`config`] | `config.json` → `Config`, checked |
//! | [`text`] | text → token ids, windows over long contexts, offsets back to the source |
//! | [`weights`] | bytes → named, checked tensors |
//! | [`plan`] | configuration and length → typed steps over named buffers; independent of any device |
//! | [`kernels`] | one module per operation: its operands, its parameter block, its CPU twin, its dispatch |
//! | [`cpu`], [`gpu`] | run a plan; [`executor`] wraps one of the two |
//! | [`profile`] | the time of a run's steps |
//! | [`session`] | picks the executor and says why; caches plans by length |
//! | [`task`] | logits → answers |
//! | [`model`] | a model directory → a task you can call |
//! | [`benchmark`] | runs over fixed ids, timed and checked |
//!
//! [`QuestionAnswering::device`]: model::QuestionAnswering::device

#![deny(missing_docs)]

pub mod benchmark;
mod clock;
pub mod config;
pub mod cpu;
pub mod error;
pub mod executor;
pub mod gpu;
mod json;
pub mod kernels;
pub mod model;
pub mod plan;
pub mod profile;
pub mod session;
mod sorting;
pub mod task;
pub mod text;
mod trial;
#[cfg(target_arch = "wasm32")]
pub mod wasm;
pub mod weights;
