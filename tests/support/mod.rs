//! What several test files share. Each file uses a part of it.
#![allow(dead_code, reason = "every test file is a crate of its own and uses a part of this module")]

pub mod checkpoint;
pub mod compare;
pub mod cpu;
pub mod family;
pub mod goldens;
pub mod gpu;
pub mod interpreter;
pub mod matrix;
pub mod random;
pub mod reference;
