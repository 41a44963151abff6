//! Parameters on the device: checked, rearranged for the kernels, uploaded.
//!
//! A matrix is stored in units of 16 bytes, each with consecutive values of one row: `[in / unit, out]`. An
//! invocation loads a unit at once, and its neighbor, which computes the next column, loads the adjacent one.
//! A table is row-major. Packed formats are followed by one scale per row.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::kernels::WeightFormat;
use crate::plan::{Group, Parameter, ParameterId, Role};
use crate::weights::{ParameterData, Q4_GROUP, Values};

use super::device::Device;
use super::memory::{ALIGNMENT, Allocation, Ledger, padded};

/// Approximate number of bytes written at a time.
const PART: usize = 1 << 20;

/// The layout of a parameter in its buffer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// Format of its values.
    pub format: WeightFormat,
    /// Offset in its buffer, in bytes.
    pub offset: usize,
    /// The group that shares the buffer, if any.
    pub group: Option<usize>,
}

/// A parameter and its buffer, which is labeled with the tensor's name.
#[derive(Debug)]
pub(super) struct Uploaded {
    pub(super) layout: Layout,
    pub(super) buffer: Arc<Allocation>,
    /// Size of its part of the buffer.
    pub(super) bytes: u64,
}

impl Uploaded {
    /// Begins the upload of a parameter into its own buffer.
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
        let buffer = allocate(device, ledger, &parameter.name, bytes);
        let mut offset = 0;
        encode(parameter, values, |part| {
            device.queue.write_buffer(&buffer, offset, part);
            offset += part.len() as u64;
        });
        let layout =
            Layout { shape: values.shape.clone(), format: values.values.format(), offset: 0, group: None };
        Ok(Uploaded { layout, bytes: padded(bytes), buffer })
    }
}

/// Parameters of an incomplete group that have arrived, in the form that kernels read.
#[derive(Debug)]
pub(super) struct PendingGroup {
    pub(super) group: Group,
    members: Vec<(ParameterId, Layout, Vec<u8>)>,
}

impl PendingGroup {
    pub(super) fn new(group: Group) -> Self {
        PendingGroup { group, members: Vec::with_capacity(group.members) }
    }

    /// Adds a parameter. Returns whether the group is complete.
    ///
    /// # Errors
    /// Same as [`Uploaded::new`].
    pub(super) fn push(
        &mut self,
        device: &Device,
        id: ParameterId,
        parameter: &Parameter,
        values: &ParameterData,
    ) -> Result<bool> {
        let bytes = check(device, parameter, values)?;
        let mut encoded = Vec::with_capacity(bytes as usize);
        encode(parameter, values, |part| encoded.extend_from_slice(part));
        let group = Some(self.group.index);
        let layout = Layout { shape: values.shape.clone(), format: values.values.format(), offset: 0, group };
        self.members.retain(|(other, ..)| *other != id);
        self.members.push((id, layout, encoded));
        Ok(self.members.len() == self.group.members)
    }

    /// Bytes of the buffer.
    pub(super) fn bytes(&self) -> u64 {
        self.members.iter().map(|(.., bytes)| bytes.len().next_multiple_of(ALIGNMENT as usize) as u64).sum()
    }

    /// Begins the upload of the whole group.
    pub(super) fn upload(self, device: &Device, ledger: &Arc<Ledger>) -> Vec<(ParameterId, Uploaded)> {
        let label = format!("weights of chain {}", self.group.index);
        let buffer = allocate(device, ledger, &label, self.bytes());
        let mut offset = 0;
        let mut uploaded = Vec::with_capacity(self.members.len());
        for (id, layout, bytes) in self.members {
            device.queue.write_buffer(&buffer, offset as u64, &bytes);
            let layout = Layout { offset, ..layout };
            offset += bytes.len().next_multiple_of(ALIGNMENT as usize);
            let bytes = padded(bytes.len() as u64);
            uploaded.push((id, Uploaded { layout, buffer: Arc::clone(&buffer), bytes }));
        }
        uploaded
    }
}

#[cfg_attr(
    target_arch = "wasm32",
    expect(
        clippy::arc_with_non_send_sync,
        reason = "a browser's buffer stays on its thread; a native one doesn't"
    )
)]
fn allocate(device: &Device, ledger: &Arc<Ledger>, label: &str, bytes: u64) -> Arc<Allocation> {
    let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
    Arc::new(Allocation::new(&device.device, ledger, label, bytes, usage))
}

/// Encodes a parameter the way kernels read it, and writes it in parts of whole words.
fn encode(parameter: &Parameter, values: &ParameterData, mut write: impl FnMut(&[u8])) {
    let columns = matrix_width(parameter);
    match &values.values {
        Values::F32(values) => units(values, columns, &mut write),
        Values::F16(values) => units(values, columns, &mut write),
        Values::Q8(values) => units(values, columns, &mut write),
        Values::Q4 { nibbles, .. } => units(nibbles, columns.map(|columns| columns / 2), &mut write),
    }
    if !values.scales.is_empty() {
        write(bytemuck::cast_slice(&values.scales));
    }
    if let Values::Q4 { groups, .. } = &values.values {
        let mut groups = match columns {
            Some(columns) => transposed(groups, columns / Q4_GROUP),
            None => groups.clone(),
        };
        groups.resize(groups.len().next_multiple_of(2), 0);
        write(bytemuck::cast_slice(&groups));
    }
}

/// The groups' scales in the order of units.
fn transposed(groups: &[u16], columns: usize) -> Vec<u16> {
    let of_column = |column| groups.iter().skip(column).step_by(columns).copied();
    (0..columns).flat_map(of_column).collect()
}

/// Writes the values in units of 16 bytes: a matrix with rows of `columns` values as `[columns / unit,
/// rows]`, anything else in order. Rows, or everything else as a whole, are padded with zeros to whole units.
fn units<T: bytemuck::Pod + Default>(values: &[T], columns: Option<usize>, write: &mut impl FnMut(&[u8])) {
    let unit = 16 / size_of::<T>();
    let columns = columns.unwrap_or(values.len().max(1));
    let rows = values.len() / columns;
    let count = columns.div_ceil(unit);
    let step = (PART / (16 * rows.max(1))).max(1);
    for first in (0..count).step_by(step) {
        let last = count.min(first + step);
        let mut part = vec![T::default(); (last - first) * rows * unit];
        for (index, row) in values.chunks_exact(columns).enumerate() {
            let row = &row[first * unit..columns.min(last * unit)];
            for (k, values) in row.chunks(unit).enumerate() {
                part[(k * rows + index) * unit..][..values.len()].copy_from_slice(values);
            }
        }
        write(bytemuck::cast_slice(&part));
    }
}

/// Row length of a linear's matrix; `None` for other parameters.
fn matrix_width(parameter: &Parameter) -> Option<usize> {
    match (parameter.role, parameter.shape.as_slice()) {
        (Role::Matrix, &[_, in_features]) => Some(in_features),
        _ => None,
    }
}

/// Size in bytes of the parameter as [`encode`] writes it.
fn check(device: &Device, parameter: &Parameter, values: &ParameterData) -> Result<u64> {
    let len: usize = values.shape.iter().product();
    let groups = if values.values.format() == WeightFormat::Q4 { len / Q4_GROUP } else { 0 };
    let scales = 4 * values.scales.len() + 2 * groups.next_multiple_of(2);
    if values.shape != parameter.shape || !values.is_whole() || len == 0 {
        let problem = format!("{len} values of shape {:?} instead of {:?}", values.shape, parameter.shape);
        return Err(Error::tensor(&parameter.name, problem));
    }
    let columns = matrix_width(parameter).unwrap_or(len);
    let bytes = (values.values.format().unit_bytes(len / columns, columns) + scales) as u64;
    let limit = device.device.limits().max_storage_buffer_binding_size;
    if padded(bytes) > limit {
        return Err(Error::unsupported(
            format!("tensor `{}` of {bytes} bytes on the GPU", parameter.name),
            format!("a binding holds {limit}; use the CPU executor"),
        ));
    }
    Ok(bytes)
}
