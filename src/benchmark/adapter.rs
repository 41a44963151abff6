//! The limits of an adapter and the cost of its dispatches, for reports.

use serde::Serialize;

use super::Benchmark;
use crate::error::Result;
use crate::executor::Executor;
use crate::gpu::{Overhead, Roofline};

/// The limits of an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct AdapterLimits {
    /// Copy bandwidth, reads and writes, in 10⁹ bytes per second.
    pub copy_gb_s: f64,
    /// f32 multiply-add throughput in 10⁹ operations per second.
    pub multiply_add_gflop_s: f64,
    /// Throughput of 4-byte dot products in 10⁹ integer operations per second; `None` where WGSL doesn't have
    /// them.
    pub byte_dot_gop_s: Option<f64>,
    /// The clock that measured them: `timestamps` or `submits`.
    pub clock: &'static str,
}

/// The cost of an empty dispatch in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct DispatchOverhead {
    /// Dispatches in the measured pass.
    pub dispatches: usize,
    /// Encoding and submitting one that reads the previous one's output.
    pub dependent_encode_us: f64,
    /// Executing it.
    pub dependent_gpu_us: f64,
    /// Encoding and submitting one with its own buffer.
    pub independent_encode_us: f64,
    /// Executing it.
    pub independent_gpu_us: f64,
    /// The clock that measured the execution: `timestamps` or `submits`.
    pub clock: &'static str,
}

impl From<Roofline> for AdapterLimits {
    fn from(roofline: Roofline) -> Self {
        AdapterLimits {
            copy_gb_s: roofline.copy_gb_s,
            multiply_add_gflop_s: roofline.multiply_add_gflop_s,
            byte_dot_gop_s: roofline.byte_dot_gop_s,
            clock: roofline.clock.as_str(),
        }
    }
}

impl From<Overhead> for DispatchOverhead {
    fn from(overhead: Overhead) -> Self {
        DispatchOverhead {
            dispatches: overhead.dispatches,
            dependent_encode_us: overhead.dependent.encode,
            dependent_gpu_us: overhead.dependent.gpu,
            independent_encode_us: overhead.independent.encode,
            independent_gpu_us: overhead.independent.gpu,
            clock: overhead.clock.as_str(),
        }
    }
}

impl Benchmark {
    /// The GPU's limits; `None` on the CPU executor.
    ///
    /// # Errors
    /// Same as [`Roofline::measure`].
    pub async fn adapter_limits(&self) -> Result<Option<AdapterLimits>> {
        match self.session.executor() {
            Executor::Cpu(_) => Ok(None),
            Executor::Gpu(executor) => Ok(Some(Roofline::measure(executor.device()).await?.into())),
        }
    }
}
