//! Every shader against its formula in f64, with random and extreme shapes, on this machine's GPU or software Vulkan.

mod attention;
mod chain;
mod element_wise;
mod linear;
mod tables;

#[path = "../support/mod.rs"]
mod support;
