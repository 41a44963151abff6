//! Parameters on the device: checked, laid out as the kernels read them, uploaded.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::plan::Parameter;
use crate::weights::Values;

use super::device::Device;
use super::memory::{Allocation, Ledger, padded};

/// How a parameter lies in its buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// Whether it is a scale a row as f32 and then signed bytes, four a word; floats otherwise.
    pub in_bytes: bool,
}

/// A parameter and its buffer, which is labelled with the tensor's name.
#[derive(Debug)]
pub(super) struct Uploaded {
    pub(super) layout: Layout,
    pub(super) buffer: Allocation,
}

impl Uploaded {
    /// Begins the upload of a parameter.
    ///
    /// # Errors
    /// `Tensor` where the shape is another, `Unsupported` where a binding cannot hold it.
    pub(super) fn new(
        device: &Device,
        ledger: &Arc<Ledger>,
        parameter: &Parameter,
        values: &Values,
    ) -> Result<Self> {
        let bytes = check(device, parameter, values)?;
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
        let buffer = Allocation::new(&device.device, ledger, &parameter.name, bytes, usage);
        let in_bytes = match values {
            Values::F32(tensor) => {
                device.queue.write_buffer(&buffer, 0, bytemuck::cast_slice(&tensor.data));
                false
            }
            Values::Q8(tensor) => {
                write_bytes(device, &buffer, &tensor.scales, bytemuck::cast_slice(&tensor.values));
                true
            }
        };
        Ok(Uploaded { layout: Layout { shape: values.shape().to_vec(), in_bytes }, buffer })
    }
}

/// Scales, then bytes; the last word is filled up, because a write is of whole words.
fn write_bytes(device: &Device, buffer: &wgpu::Buffer, scales: &[f32], values: &[u8]) {
    let scales: &[u8] = bytemuck::cast_slice(scales);
    let (words, rest) = values.split_at(values.len() - values.len() % 4);
    let mut last = [0; 4];
    last[..rest.len()].copy_from_slice(rest);
    let mut offset = 0;
    for part in [scales, words, &last] {
        device.queue.write_buffer(buffer, offset, part);
        offset += part.len() as u64;
    }
}

/// Bytes that the parameter takes in its buffer.
fn check(device: &Device, parameter: &Parameter, values: &Values) -> Result<u64> {
    let (len, bytes) = match values {
        Values::F32(tensor) => (tensor.data.len(), size_of_val(tensor.data.as_slice())),
        Values::Q8(tensor) => {
            let words = tensor.values.len() / 4 + 1;
            (tensor.values.len(), size_of_val(tensor.scales.as_slice()) + 4 * words)
        }
    };
    if values.shape() != parameter.shape || !values.is_whole() || len == 0 {
        let problem =
            format!("{len} values of shape {:?} where {:?} is needed", values.shape(), parameter.shape);
        return Err(Error::tensor(&parameter.name, problem));
    }
    let limit = device.device.limits().max_storage_buffer_binding_size;
    let bytes = bytes as u64;
    if padded(bytes) > limit {
        return Err(Error::unsupported(
            format!("tensor `{}` of {bytes} bytes on the GPU", parameter.name),
            format!("a binding holds {limit}; use the CPU executor"),
        ));
    }
    Ok(bytes)
}
