//! The two limits of the roofline model: bandwidth and arithmetic.

use crate::error::{Error, Result};
use crate::gpu::Device;
use crate::kernels::wgsl::include_wgsl;
use crate::profile::Clock;

use super::{Microbenchmark, buffer, clock, content};

/// Bytes of a copy: both buffers together are larger than today's caches.
const COPY_BYTES: u64 = 64 << 20;
/// Invocations of a workgroup of either shader.
const INVOCATIONS: u32 = 256;
/// Floating-point operations of one invocation of `multiply_add`.
const OPERATIONS: f64 = 32_768.0;
/// Workgroups of the first pass of `multiply_add`; doubled until a pass is long enough.
const FIRST_WORKGROUPS: u32 = 64;
/// A pass of this many milliseconds is measured well enough.
const LONG_ENOUGH: f64 = 20.0;
/// Passes of which the fastest counts.
const PASSES: usize = 5;

/// The most that the adapter's memory and its arithmetic units were seen to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Roofline {
    /// Bytes per second that a copy reads and writes, in units of 10⁹.
    pub copy_gb_s: f64,
    /// f32 operations per second in multiply-adds (two each), in units of 10⁹.
    pub multiply_add_gflop_s: f64,
    /// The clock that measured them.
    pub clock: Clock,
}

impl Roofline {
    /// Measures a device, in a second or two on software adapters.
    ///
    /// # Errors
    /// `OutOfMemory` for 128 MiB, `Internal` where a result is wrong, and what the device reports.
    pub async fn measure(device: &Device) -> Result<Self> {
        Ok(Roofline {
            copy_gb_s: copy(device).await?,
            multiply_add_gflop_s: multiply_add(device).await?,
            clock: clock(device),
        })
    }
}

async fn copy(device: &Device) -> Result<f64> {
    let wgsl = include_wgsl!("../../../shaders/microbenchmarks/copy.wgsl");
    let copy = Microbenchmark::new(device, "copy", wgsl, 2).await?;
    let watch = device.watch();
    let [destination, source] = ["destination", "source"].map(|label| buffer(device, label, COPY_BYTES));
    watch.end("copy".to_owned(), 2 * COPY_BYTES).await?;
    let probe = [1.0f32, -2.0, 3.5, 4.25];
    device.queue.write_buffer(&source, 0, bytemuck::cast_slice(&probe));
    let bound = copy.bind(device, &[&destination, &source]);
    let workgroups = (COPY_BYTES / 16) as u32 / INVOCATIONS;
    // Repeated in one pass, so that its beginning and end don't count.
    let mut repeats = 1;
    let mut best = f64::INFINITY;
    for _ in 0..PASSES {
        let time = copy.time(device, &vec![(workgroups, &bound); repeats]).await?.gpu;
        best = best.min(time / repeats as f64);
        if time < LONG_ENOUGH {
            repeats = (LONG_ENOUGH / best.max(0.1)).ceil() as usize;
        }
    }
    let copied: Vec<f32> = content(device, &destination, 16).await?;
    destination.destroy();
    source.destroy();
    expect("copy", &copied, &probe)?;
    Ok(2.0 * COPY_BYTES as f64 / best / 1e6)
}

async fn multiply_add(device: &Device) -> Result<f64> {
    let wgsl = include_wgsl!("../../../shaders/microbenchmarks/multiply_add.wgsl");
    let multiply_add = Microbenchmark::new(device, "multiply_add", wgsl, 2).await?;
    let destination = buffer(device, "destination", 16);
    let source = buffer(device, "source", 32);
    // x = x / 2 + 1 ends at 2 from everywhere.
    let values = [0.5f32, 0.5, 0.5, 0.5, 1.0, 1.0, 1.0, 1.0];
    device.queue.write_buffer(&source, 0, bytemuck::cast_slice(&values));
    let bound = multiply_add.bind(device, &[&destination, &source]);
    let mut workgroups = FIRST_WORKGROUPS;
    while multiply_add.time(device, &[(workgroups, &bound)]).await?.gpu < LONG_ENOUGH && workgroups < 1 << 15
    {
        workgroups *= 2;
    }
    let mut best = f64::INFINITY;
    for _ in 0..PASSES {
        best = best.min(multiply_add.time(device, &[(workgroups, &bound)]).await?.gpu);
    }
    let sums: Vec<f32> = content(device, &destination, 16).await?;
    expect("multiply_add", &sums, &[16.0; 4])?;
    Ok(f64::from(workgroups * INVOCATIONS) * OPERATIONS / best / 1e6)
}

/// A wrong result must not pass for a fast one.
fn expect(kernel: &str, found: &[f32], expected: &[f32]) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::internal(kernel, format!("computed {found:?} instead of {expected:?}")))
}
