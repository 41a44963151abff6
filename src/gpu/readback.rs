//! Reading results back from the device.

use bytemuck::Pod;

use crate::error::{Error, Result};

use super::completion::Completion;
use super::device::Device;

/// Maps `buffer`, passes its first `bytes` to `read`, and unmaps it. The work that fills it has been
/// submitted.
pub(super) async fn read_back<P: Pod, T>(
    device: &Device,
    buffer: &wgpu::Buffer,
    bytes: u64,
    read: impl FnOnce(&[P]) -> T,
) -> Result<T> {
    let mapped = Completion::new();
    let callback = mapped.clone();
    buffer.map_async(wgpu::MapMode::Read, 0..bytes, move |outcome| callback.complete(outcome.is_ok()));
    if mapped.wait(device).await != Some(true) {
        device.check("readback")?;
        return Err(Error::DeviceLost { reason: "the results could not be read back".to_owned() });
    }
    let result = {
        let view = buffer
            .get_mapped_range(0..bytes)
            .map_err(|error| Error::internal("readback", error.to_string()))?;
        match bytemuck::try_cast_slice(&view) {
            Ok(values) => Ok(read(values)),
            Err(error) => Err(Error::internal("readback", error.to_string())),
        }
    };
    buffer.unmap();
    result
}
