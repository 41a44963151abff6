//! The limits of the roofline model: bandwidth, and float and byte arithmetic.

use crate::error::{Error, Result};
use crate::gpu::Device;
use crate::kernels::wgsl::include_wgsl;
use crate::profile::Clock;

use super::{Microbenchmark, buffer, clock, content};

/// Bytes of a copy: both buffers together are larger than today's caches.
const COPY_BYTES: u64 = 64 << 20;
/// Invocations per workgroup of either shader.
const INVOCATIONS: u32 = 256;
/// Operations of one invocation of `multiply_add` and of `byte_dot`.
const OPERATIONS: f64 = 32_768.0;
/// Workgroups in the first pass of either; doubled until a pass is long enough.
const FIRST_WORKGROUPS: u32 = 64;
/// A pass of this many milliseconds is long enough to measure.
const LONG_ENOUGH: f64 = 20.0;
/// Number of passes; the fastest counts.
const PASSES: usize = 5;

/// The highest measured throughput of the adapter's memory and arithmetic units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Roofline {
    /// Copy bandwidth, reads and writes, in 10⁹ bytes per second.
    pub copy_gb_s: f64,
    /// f32 multiply-add throughput (two operations each) in 10⁹ operations per second.
    pub multiply_add_gflop_s: f64,
    /// Throughput of 4-byte dot products (`dot4I8Packed`, eight operations each) in 10⁹ integer operations
    /// per second; `None` where WGSL doesn't have them. Unless this is far above the float rate, kernels gain
    /// nothing from them.
    pub byte_dot_gop_s: Option<f64>,
    /// The clock that measured them.
    pub clock: Clock,
}

impl Roofline {
    /// Measures a device, in a second or two on software adapters.
    ///
    /// # Errors
    /// `OutOfMemory` if 128 MiB aren't available, `Internal` if a result is wrong, and whatever the device
    /// reports.
    pub async fn measure(device: &Device) -> Result<Self> {
        Ok(Roofline {
            copy_gb_s: copy(device).await?,
            multiply_add_gflop_s: multiply_add(device).await?,
            byte_dot_gop_s: byte_dot(device).await?,
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
    // Repeated within one pass, so that its start and end don't matter.
    let mut repeats = 1;
    let mut best = f64::INFINITY;
    for _ in 0..PASSES {
        let time = copy.time(device, &vec![(workgroups, &bound); repeats]).await?.gpu;
        best = best.min(time / repeats as f64);
        if time < LONG_ENOUGH {
            repeats = (LONG_ENOUGH / best.max(0.1)).ceil() as usize;
        }
    }
    let copied = content(device, &destination, 16).await?;
    destination.destroy();
    source.destroy();
    expect("copy", &copied, &probe.map(f32::to_bits))?;
    Ok(2.0 * COPY_BYTES as f64 / best / 1e6)
}

async fn multiply_add(device: &Device) -> Result<f64> {
    let wgsl = include_wgsl!("../../../shaders/microbenchmarks/multiply_add.wgsl");
    let kernel = Microbenchmark::new(device, "multiply_add", wgsl, 2).await?;
    // x = x / 2 + 1 converges to 2 from any start.
    let source = [0.5f32, 0.5, 0.5, 0.5, 1.0, 1.0, 1.0, 1.0].map(f32::to_bits);
    rate(&kernel, device, &source, &[16f32.to_bits(); 4]).await
}

async fn byte_dot(device: &Device) -> Result<Option<f64>> {
    let wgsl = include_wgsl!("../../../shaders/microbenchmarks/byte_dot.wgsl");
    let kernel = match Microbenchmark::new(device, "byte_dot", wgsl, 2).await {
        Ok(kernel) => kernel,
        Err(error @ Error::DeviceLost { .. }) => return Err(error),
        // The shader requires a WGSL language feature.
        Err(_) => return Ok(None),
    };
    let expected = sum_of_dot_chains(DOT_FACTOR, DOT_ADDEND);
    rate(&kernel, device, &[DOT_FACTOR, DOT_ADDEND], &[expected]).await.map(Some)
}

/// Bytes of both signs, and an addend that takes the chains through many values.
const DOT_FACTOR: u32 = u32::from_le_bytes([0x35, 0xd1, 0x7f, 0x80]);
const DOT_ADDEND: u32 = 0x5f37_59df;

/// The result of the first invocation of `byte_dot`.
fn sum_of_dot_chains(factor: u32, addend: u32) -> u32 {
    let bytes = |value: u32| value.to_le_bytes().map(|byte| i32::from(byte as i8));
    let dot = |x: u32| bytes(x).iter().zip(bytes(factor)).map(|(x, factor)| x * factor).sum::<i32>();
    let chain = |start| (0..512).fold(start, |x, _| (dot(x) as u32).wrapping_add(addend));
    (0..8).map(chain).fold(0, u32::wrapping_add)
}

/// Operations per second, in units of 10⁹, of a kernel that has [`OPERATIONS`] per invocation.
async fn rate(kernel: &Microbenchmark, device: &Device, source: &[u32], expected: &[u32]) -> Result<f64> {
    let bytes = size_of_val(expected) as u64;
    let destination = buffer(device, "destination", bytes);
    let given = buffer(device, "source", size_of_val(source) as u64);
    device.queue.write_buffer(&given, 0, bytemuck::cast_slice(source));
    let bound = kernel.bind(device, &[&destination, &given]);
    let mut workgroups = FIRST_WORKGROUPS;
    while kernel.time(device, &[(workgroups, &bound)]).await?.gpu < LONG_ENOUGH && workgroups < 1 << 15 {
        workgroups *= 2;
    }
    // Only now, because passes with fewer workgroups would look fast.
    let mut best = f64::INFINITY;
    for _ in 0..PASSES {
        best = best.min(kernel.time(device, &[(workgroups, &bound)]).await?.gpu);
    }
    expect(kernel.name, &content(device, &destination, bytes).await?, expected)?;
    Ok(f64::from(workgroups * INVOCATIONS) * OPERATIONS / best / 1e6)
}

/// Checks the result: a wrong one must not count as fast. The values are 32 bits of any type.
fn expect(kernel: &str, found: &[u32], expected: &[u32]) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::internal(kernel, format!("computed {found:x?} instead of {expected:x?}")))
}
