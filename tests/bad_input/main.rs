//! Broken model directories give a typed error that names the file, tensor or field, never a panic or a hang.
//! A loaded model still works after impossible input.

#![cfg(not(target_arch = "wasm32"))]

mod files;
mod fit;
mod folder;
mod runs;
mod weights;

#[path = "../support/mod.rs"]
mod support;
