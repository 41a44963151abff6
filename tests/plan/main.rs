//! Plans of the whole family: what they compute, how their steps are grouped, which tensors they are made from, and what
//! is refused.

mod checkpoints;
mod computed;
mod configurations;
mod steps;
mod traffic;

#[path = "../support/mod.rs"]
mod support;
