//! The cost of a nearly empty dispatch.

use crate::error::{Error, Result};
use crate::gpu::Device;
use crate::kernels::wgsl::include_wgsl;
use crate::profile::Clock;

use super::{Microbenchmark, buffer, clock, content, median};

/// Dispatches per pass.
const DISPATCHES: usize = 256;
/// Number of timed passes.
const PASSES: usize = 9;
/// Bytes of a counter.
const COUNTER: u64 = 4;

/// Microseconds per dispatch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DispatchCost {
    /// Encoding and submitting it, on the CPU.
    pub encode: f64,
    /// Executing it, on the GPU.
    pub gpu: f64,
}

/// The cost of empty dispatches in one pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Overhead {
    /// Dispatches of a pass.
    pub dispatches: usize,
    /// Each reads the previous one's output.
    pub dependent: DispatchCost,
    /// Each has its own buffer.
    pub independent: DispatchCost,
    /// The clock that measured the GPU's part.
    pub clock: Clock,
}

impl Overhead {
    /// Measures a device. Takes well below a second, also on software adapters.
    ///
    /// # Errors
    /// `Internal` if a counter shows that dispatches were lost, and whatever the device reports.
    pub async fn measure(device: &Device) -> Result<Self> {
        let wgsl = include_wgsl!("../../../shaders/microbenchmarks/increment.wgsl");
        let increment = Microbenchmark::new(device, "increment", wgsl, 1).await?;
        let counters: Vec<_> = (0..DISPATCHES).map(|_| buffer(device, "counter", COUNTER)).collect();
        let bind_groups: Vec<_> = counters.iter().map(|counter| increment.bind(device, &[counter])).collect();
        let independent: Vec<_> = bind_groups.iter().map(|bind_group| (1, bind_group)).collect();
        let dependent = vec![(1, &bind_groups[0]); DISPATCHES];
        let costs =
            [cost(device, &increment, &dependent).await?, cost(device, &increment, &independent).await?];
        check(device, &counters).await?;
        counters.iter().for_each(wgpu::Buffer::destroy);
        let [dependent, independent] = costs;
        Ok(Overhead { dispatches: DISPATCHES, dependent, independent, clock: clock(device) })
    }
}

/// The difference between a full pass and a pass of one dispatch, per dispatch.
async fn cost(
    device: &Device,
    increment: &Microbenchmark,
    dispatches: &[(u32, &wgpu::BindGroup)],
) -> Result<DispatchCost> {
    // The first pass is a warm-up.
    increment.time(device, dispatches).await?;
    let mut encode = Vec::new();
    let mut gpu = Vec::new();
    for _ in 0..PASSES {
        let one = increment.time(device, &dispatches[..1]).await?;
        let all = increment.time(device, dispatches).await?;
        encode.push(all.encode - one.encode);
        gpu.push(all.gpu - one.gpu);
    }
    let each = |milliseconds| 1e3 * median(milliseconds).max(0.0) / (dispatches.len() - 1) as f64;
    Ok(DispatchCost { encode: each(encode), gpu: each(gpu) })
}

/// Checks that every dispatch was executed: one that wasn't must not count as fast.
async fn check(device: &Device, counters: &[wgpu::Buffer]) -> Result<()> {
    let full = 1 + PASSES;
    let independent = [PASSES + full, full];
    let dependent = PASSES + DISPATCHES * full;
    for (counter, expected) in [(&counters[0], dependent + independent[0]), (&counters[1], independent[1])] {
        let counted: Vec<u32> = content(device, counter, COUNTER).await?;
        if counted != [expected as u32] {
            let problem = format!("counted {counted:?} of {expected} dispatches");
            return Err(Error::internal("increment", problem));
        }
    }
    Ok(())
}
