//! Plans for all model families: their results, how steps are fused, which tensors are used, and which requests are
//! rejected.

mod checkpoints;
mod computed;
mod configurations;
mod steps;
mod traffic;

#[path = "../support/mod.rs"]
mod support;
