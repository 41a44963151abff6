//! Whole model directories with something wrong: a typed error that names the file, the tensor or the field, never a
//! panic or a hang; and a loaded model that was asked something impossible still answers.

#![cfg(not(target_arch = "wasm32"))]

mod files;
mod fit;
mod folder;
mod runs;
mod weights;

#[path = "../support/mod.rs"]
mod support;
