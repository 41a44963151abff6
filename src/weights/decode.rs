//! Stored values → f32.

use half::{bf16, f16};
use safetensors::Dtype;

use crate::error::{Error, Result};

use super::header::{check_scale, check_stored};
use super::tensor::{PackedTensor, PackedValues, Q8Tensor, RawTensor, Tensor, reserve};

/// Number of columns of a row that share a scale in q4.
pub const Q4_GROUP: usize = 32;

/// Decodes a stored tensor, with its scales if it is quantized, to the shape that the configuration requires.
///
/// q8: row `r` is `scale[r] · i8`. q4: two values per byte, low nibble first, each in two's complement from −8 to 7,
/// times the scale of its group of [`Q4_GROUP`] columns; a row's last group may be shorter.
///
/// # Errors
/// Wrong shapes, unsupported types, a missing scale, and values that are NaN or infinite.
pub fn decode(raw: &RawTensor, scale: Option<&RawTensor>, shape: &[usize]) -> Result<Tensor> {
    check_stored(raw.dtype, &raw.shape, &raw.name, shape)?;
    let len = shape.iter().product();
    let mut data = reserve(len, &raw.name)?;
    if !floats(raw.dtype, &raw.bytes, &mut data) {
        dequantize(raw, scale, shape, &mut data)?;
    }
    if data.len() != len {
        let problem = format!("has {} values, but its shape {shape:?} requires {len}", data.len());
        return Err(Error::tensor(&raw.name, problem));
    }
    refuse_non_finite(&raw.name, shape, &data)?;
    Ok(Tensor { shape: shape.to_vec(), data })
}

/// Appends the values of `bytes`. Returns false and appends nothing unless the type is F64, F32, F16 or BF16.
fn floats(dtype: Dtype, bytes: &[u8], data: &mut Vec<f32>) -> bool {
    match dtype {
        // Rounded to nearest, as in PyTorch's `.float()`.
        Dtype::F64 => {
            data.extend(bytes.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes) as f32));
        }
        Dtype::F32 => data.extend(bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes))),
        Dtype::F16 => {
            data.extend(bytes.as_chunks().0.iter().map(|bytes| f16::from_le_bytes(*bytes).to_f32()))
        }
        Dtype::BF16 => {
            data.extend(bytes.as_chunks().0.iter().map(|bytes| bf16::from_le_bytes(*bytes).to_f32()));
        }
        _ => return false,
    }
    true
}

/// Calls `work` with each row of a float tensor, so that there is never a second copy of its values. A vector is one row.
///
/// # Errors
/// Types other than floats, and values that are NaN or infinite.
pub(super) fn rows(raw: &RawTensor, mut work: impl FnMut(&[f32])) -> Result<()> {
    let columns = raw.shape.last().map_or(1, |&columns| columns.max(1));
    let row_bytes = columns * raw.dtype.bitsize() / 8;
    let mut row = reserve(columns, &raw.name)?;
    for (index, bytes) in raw.bytes.chunks(row_bytes.max(1)).enumerate() {
        row.clear();
        if !floats(raw.dtype, bytes, &mut row) {
            return Err(Error::tensor(
                &raw.name,
                format!("is stored as {:?}, which isn't a float type", raw.dtype),
            ));
        }
        if let Some(column) = row.iter().position(|value| !value.is_finite()) {
            return Err(not_finite(&raw.name, &raw.shape, index * columns + column, row[column]));
        }
        work(&row);
    }
    Ok(())
}

/// A tensor stored as q8, left in 8 bits. The caller checks that its scales are finite.
///
/// # Errors
/// Wrong shapes, a missing scale.
pub(super) fn q8(raw: &RawTensor, scale: Option<&RawTensor>, shape: &[usize]) -> Result<Q8Tensor> {
    check_stored(raw.dtype, &raw.shape, &raw.name, shape)?;
    let (scale, _) = scale_of(raw, scale, shape)?;
    let scales = scale.bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let values = bytemuck::cast_slice(&raw.bytes).to_vec();
    Ok(Q8Tensor { shape: shape.to_vec(), values, scales })
}

/// A matrix stored as f16 or q4, left as it is; its rows have scales of 1. The caller checks that its values are finite.
///
/// # Errors
/// Wrong shapes, a missing scale.
pub(super) fn packed(raw: &RawTensor, scale: Option<&RawTensor>, shape: &[usize]) -> Result<PackedTensor> {
    check_stored(raw.dtype, &raw.shape, &raw.name, shape)?;
    let halves = |bytes: &[u8]| bytes.as_chunks().0.iter().map(|bytes| u16::from_le_bytes(*bytes)).collect();
    let values = match raw.dtype {
        Dtype::U8 => {
            let groups = halves(&scale_of(raw, scale, shape)?.0.bytes);
            PackedValues::Q4 { nibbles: raw.bytes.clone(), groups }
        }
        _ => PackedValues::F16(halves(&raw.bytes)),
    };
    Ok(PackedTensor { shape: shape.to_vec(), values, scales: vec![1.0; shape[0]] })
}

/// The scales of a quantized matrix, and its number of columns.
fn scale_of<'a>(
    raw: &RawTensor,
    scale: Option<&'a RawTensor>,
    shape: &[usize],
) -> Result<(&'a RawTensor, usize)> {
    let [_, columns] = *shape else {
        return Err(Error::tensor(&raw.name, format!("is quantized, but {shape:?} isn't a matrix")));
    };
    let scale = scale.ok_or_else(|| {
        Error::tensor(&raw.name, format!("is stored as {:?} without `{}.scale`", raw.dtype, raw.name))
    })?;
    check_scale(raw.dtype, scale.dtype, &scale.shape, &scale.name, shape)?;
    Ok((scale, columns))
}

fn dequantize(
    raw: &RawTensor,
    scale: Option<&RawTensor>,
    shape: &[usize],
    data: &mut Vec<f32>,
) -> Result<()> {
    let (scale, columns) = scale_of(raw, scale, shape)?;
    if columns == 0 {
        return Ok(());
    }
    if raw.dtype == Dtype::I8 {
        let scales = scale.bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
        for (row, scale) in raw.bytes.chunks_exact(columns).zip(scales) {
            data.extend(row.iter().map(|byte| f32::from(*byte as i8) * scale));
        }
    } else {
        let scales = scale.bytes.as_chunks().0.iter().map(|bytes| f16::from_le_bytes(*bytes).to_f32());
        let groups = raw.bytes.chunks_exact(columns / 2).flat_map(|row| row.chunks(Q4_GROUP / 2));
        for (group, scale) in groups.zip(scales) {
            let nibbles = group.iter().flat_map(|byte| [(byte << 4) as i8 >> 4, *byte as i8 >> 4]);
            data.extend(nibbles.map(|nibble| f32::from(nibble) * scale));
        }
    }
    Ok(())
}

/// Fails with the index of the first value that is NaN or infinite.
pub(super) fn refuse_non_finite(name: &str, shape: &[usize], data: &[f32]) -> Result<()> {
    match data.iter().position(|value| !value.is_finite()) {
        Some(flat) => Err(not_finite(name, shape, flat, data[flat])),
        None => Ok(()),
    }
}

/// Fails with the index of the first value that its scale makes NaN or infinite.
pub(super) fn refuse_non_finite_q8(name: &str, tensor: &Q8Tensor) -> Result<()> {
    let columns = tensor.shape.last().map_or(1, |&columns| columns.max(1));
    for (index, (row, scale)) in tensor.values.chunks(columns).zip(&tensor.scales).enumerate() {
        // If the largest byte times the scale is finite, all of them are.
        if !(scale * 128.0).is_finite() {
            let mut values = row.iter().map(|value| f32::from(*value) * scale).enumerate();
            if let Some((column, value)) = values.find(|(_, value)| !value.is_finite()) {
                return Err(not_finite(name, &tensor.shape, index * columns + column, value));
            }
        }
    }
    Ok(())
}

/// Fails with the index of the first value that is NaN or infinite.
pub(super) fn refuse_non_finite_packed(name: &str, tensor: &PackedTensor) -> Result<()> {
    for row in 0..tensor.shape[0] {
        if let Some((column, value)) = tensor.row(row).enumerate().find(|(_, value)| !value.is_finite()) {
            return Err(not_finite(name, &tensor.shape, row * tensor.shape[1] + column, value));
        }
    }
    Ok(())
}

fn not_finite(name: &str, shape: &[usize], flat: usize, value: f32) -> Error {
    let mut place = Vec::with_capacity(shape.len());
    let mut rest = flat;
    for size in shape.iter().rev() {
        place.insert(0, rest % size.max(&1));
        rest /= size.max(&1);
    }
    Error::tensor(name, format!("contains {value} at {place:?}; the file is damaged, or training diverged"))
}
