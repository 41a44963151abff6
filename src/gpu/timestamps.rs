//! Start and end of compute passes by the GPU's own clock.

use crate::error::Result;

use super::device::Device;
use super::readback::read_back;

/// Bytes of one timestamp.
const TIMESTAMP: u64 = size_of::<u64>() as u64;

/// A pair of timestamps per pass.
pub(super) struct Timestamps {
    set: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    staging: wgpu::Buffer,
    passes: u32,
}

impl Timestamps {
    /// `None` if the device has no `timestamp-query` or a query set is too small.
    pub(super) fn new(device: &Device, passes: usize) -> Option<Self> {
        let passes = u32::try_from(passes).ok().filter(|passes| 2 * passes <= wgpu::QUERY_SET_MAX_QUERIES)?;
        if !device.has_timestamps() {
            return None;
        }
        let bytes = 2 * u64::from(passes) * TIMESTAMP;
        let buffer = |label, usage| {
            device.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(label),
                size: bytes,
                usage,
                mapped_at_creation: false,
            })
        };
        use wgpu::BufferUsages as Usage;
        Some(Timestamps {
            set: device.device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("timestamps"),
                ty: wgpu::QueryType::Timestamp,
                count: 2 * passes,
            }),
            resolved: buffer("timestamps", Usage::QUERY_RESOLVE | Usage::COPY_SRC),
            staging: buffer("timestamps, read back", Usage::MAP_READ | Usage::COPY_DST),
            passes,
        })
    }

    /// Makes the pass with this index write its start and end.
    pub(super) fn writes(&self, pass: usize) -> wgpu::ComputePassTimestampWrites<'_> {
        let first = 2 * pass as u32;
        wgpu::ComputePassTimestampWrites {
            query_set: &self.set,
            beginning_of_pass_write_index: Some(first),
            end_of_pass_write_index: Some(first + 1),
        }
    }

    /// Copies the timestamps to a readable buffer, after the passes.
    pub(super) fn resolve(&self, encoder: &mut wgpu::CommandEncoder) {
        encoder.resolve_query_set(&self.set, 0..2 * self.passes, &self.resolved, 0);
        encoder.copy_buffer_to_buffer(&self.resolved, 0, &self.staging, 0, Some(self.staging.size()));
    }

    /// Milliseconds of each pass, once the work has been submitted. Browsers round timestamps, some to 100
    /// µs.
    pub(super) async fn read(&self, device: &Device) -> Result<Vec<f64>> {
        let period = f64::from(device.queue.get_timestamp_period());
        read_back(device, &self.staging, self.staging.size(), |ticks: &[u64]| {
            // If the clock was reset between the two writes, the time is 0.
            ticks.chunks_exact(2).map(|pair| pair[1].saturating_sub(pair[0]) as f64 * period / 1e6).collect()
        })
        .await
    }
}

impl Drop for Timestamps {
    fn drop(&mut self) {
        self.set.destroy();
        self.resolved.destroy();
        self.staging.destroy();
    }
}
