//! Helpers shared by several test files.
#![allow(dead_code, reason = "each test file is a separate crate and uses only part of this module")]

pub mod checkpoint;
pub mod compare;
pub mod cpu;
pub mod goldens;
pub mod gpu;
pub mod interpreter;
pub mod matrix;
pub mod random;
pub mod reference;
pub mod reference_model;
pub mod small_model;
pub mod tokenizers;
pub mod torch;
