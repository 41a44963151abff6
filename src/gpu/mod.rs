//! Runs a plan through wgpu: natively over Vulkan, Metal or Direct3D 12, in browsers over WebGPU.
//!
//! [`Device::request`] opens an adapter, [`Executor::load`] uploads parameters, and [`Executor::run`] runs
//! plans, compiling their kernels on first use. A plan's buffers, bind groups and parameter blocks are
//! created once and live as long as the plan; a run writes the inputs, submits one command buffer with one
//! compute pass and reads all results back at once.

mod adapter;
mod completion;
mod device;
mod executor;
mod launch;
mod memory;
mod microbenchmarks;
mod parameters;
mod pipelines;
mod prepared;
mod profile;
mod readback;
mod tile;
#[cfg(target_arch = "wasm32")]
mod timer;
mod timestamps;
mod uploads;
mod watch;

pub use adapter::Adapter;
pub use device::Device;
pub use executor::Executor;
pub use launch::launch;
pub use memory::Memory;
pub use microbenchmarks::{DispatchCost, Overhead, Roofline};
pub use parameters::Layout;
pub use tile::Tile;
