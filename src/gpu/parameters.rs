//! Parameters on the device: checked, rearranged for the kernels, uploaded.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::plan::{Parameter, Role};
use crate::weights::ParameterData;

use super::device::Device;
use super::memory::{Allocation, Ledger, padded};

/// The layout of a parameter in its buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// Whether it is one f32 scale per row followed by signed bytes, four per word; otherwise floats.
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
    /// `Tensor` if the shape differs, `Unsupported` if it is larger than a binding.
    pub(super) fn new(
        device: &Device,
        ledger: &Arc<Ledger>,
        parameter: &Parameter,
        values: &ParameterData,
    ) -> Result<Self> {
        let bytes = check(device, parameter, values)?;
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
        let buffer = Allocation::new(&device.device, ledger, &parameter.name, bytes, usage);
        let in_bytes = match values {
            ParameterData::F32(tensor) => {
                write(device, &buffer, 0, parameter, &tensor.data);
                false
            }
            ParameterData::Q8(tensor) => {
                device.queue.write_buffer(&buffer, 0, bytemuck::cast_slice(&tensor.scales));
                write(
                    device,
                    &buffer,
                    size_of_val(tensor.scales.as_slice()) as u64,
                    parameter,
                    &tensor.values,
                );
                true
            }
        };
        Ok(Uploaded { layout: Layout { shape: values.shape().to_vec(), in_bytes }, buffer })
    }
}

/// Writes a parameter's values from `offset` on, padded to whole words.
fn write<T: bytemuck::Pod + Default>(
    device: &Device,
    buffer: &wgpu::Buffer,
    offset: u64,
    parameter: &Parameter,
    values: &[T],
) {
    let mut offset = offset;
    let mut write = |part: &[T]| {
        device.queue.write_buffer(buffer, offset, bytemuck::cast_slice(part));
        offset += size_of_val(part) as u64;
    };
    if let Some(in_features) = matrix_width(parameter) {
        interleaved(values, in_features, write);
    } else {
        let together = 4 / size_of::<T>();
        let (words, rest) = values.split_at(values.len() / together * together);
        write(words);
        if !rest.is_empty() {
            let mut last = [T::default(); 4];
            last[..rest.len()].copy_from_slice(rest);
            write(&last[..together]);
        }
    }
}

/// Row length of a matrix that `linear` reads; `None` for other parameters.
fn matrix_width(parameter: &Parameter) -> Option<usize> {
    match (parameter.role, parameter.shape.as_slice()) {
        (Role::Matrix, &[_, in_features]) => Some(in_features),
        _ => None,
    }
}

/// Rearranges a row-major `[out, in]` as `[in / 4, out, 4]`, padding rows with zeros: the four values that an accumulator
/// takes at once are adjacent, and next to those of the next column, which the neighboring invocation reads at the same
/// time. Passed on in chunks of about a megabyte.
fn interleaved<T: Copy + Default>(values: &[T], in_features: usize, mut write: impl FnMut(&[T])) {
    const PART: usize = 1 << 18;
    let columns = values.len() / in_features;
    let vectors = in_features.div_ceil(4);
    let step = (PART / (4 * columns)).max(1);
    for first in (0..vectors).step_by(step) {
        let last = vectors.min(first + step);
        let mut part = vec![T::default(); (last - first) * columns * 4];
        for (column, row) in values.chunks_exact(in_features).enumerate() {
            for (k, vector) in row.chunks(4).enumerate().take(last).skip(first) {
                part[((k - first) * columns + column) * 4..][..vector.len()].copy_from_slice(vector);
            }
        }
        write(&part);
    }
}

/// Size of the parameter's buffer in bytes.
fn check(device: &Device, parameter: &Parameter, values: &ParameterData) -> Result<u64> {
    let (len, width, scales) = match values {
        ParameterData::F32(tensor) => (tensor.data.len(), 4, 0),
        ParameterData::Q8(tensor) => (tensor.values.len(), 1, size_of_val(tensor.scales.as_slice())),
    };
    if values.shape() != parameter.shape || !values.is_whole() || len == 0 {
        let problem =
            format!("{len} values of shape {:?} where {:?} is needed", values.shape(), parameter.shape);
        return Err(Error::tensor(&parameter.name, problem));
    }
    let stored = match matrix_width(parameter) {
        Some(in_features) => len / in_features * in_features.next_multiple_of(4),
        None => len.next_multiple_of(4 / width),
    };
    let bytes = (scales + stored * width) as u64;
    let limit = device.device.limits().max_storage_buffer_binding_size;
    if padded(bytes) > limit {
        return Err(Error::unsupported(
            format!("tensor `{}` of {bytes} bytes on the GPU", parameter.name),
            format!("a binding holds {limit}; use the CPU executor"),
        ));
    }
    Ok(bytes)
}
