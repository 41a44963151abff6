//! Stored values → f32.

use half::{bf16, f16};
use safetensors::Dtype;

use crate::error::{Error, Result};

use super::header::{check_scale, check_stored};
use super::tensor::{ParameterData, RawTensor, Tensor, Values, reserve};

/// Number of columns of a row that share a q4 scale.
pub const Q4_GROUP: usize = 32;

/// Decodes a stored tensor, with its scales if it is quantized, to the shape required by the configuration.
///
/// q8: row `r` is `scale[r] · i8`. q4: two values per byte, low nibble first, each in two's complement from −8 to 7,
/// times the scale of its group of [`Q4_GROUP`] columns; a row's last group may be shorter.
///
/// # Errors
/// Wrong shapes, unsupported types, a missing scale, and NaN or infinite values.
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
    refuse_non_finite_floats(&raw.name, shape, &data)?;
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

/// Calls `work` with each row of a float tensor, so that its values are never copied as a whole. A vector is
/// one row.
///
/// # Errors
/// Types other than floats, and NaN or infinite values.
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

/// A matrix stored as f16, q8 or q4, unchanged; rows in f16 and q4 have a scale of 1. The caller checks that
/// its values are finite.
///
/// # Errors
/// Wrong shapes, a missing scale.
pub(super) fn as_stored(
    raw: &RawTensor,
    scale: Option<&RawTensor>,
    shape: &[usize],
) -> Result<ParameterData> {
    check_stored(raw.dtype, &raw.shape, &raw.name, shape)?;
    let halves = |bytes: &[u8]| bytes.as_chunks().0.iter().map(|bytes| u16::from_le_bytes(*bytes)).collect();
    let ones = || vec![1.0; shape[0]];
    let (values, scales) = match raw.dtype {
        Dtype::I8 => {
            let (scale, _) = scale_of(raw, scale, shape)?;
            let scales = scale.bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            (Values::Q8(bytemuck::cast_slice(&raw.bytes).to_vec()), scales)
        }
        Dtype::U8 => {
            let groups = halves(&scale_of(raw, scale, shape)?.0.bytes);
            (Values::Q4 { nibbles: raw.bytes.clone(), groups }, ones())
        }
        _ => (Values::F16(halves(&raw.bytes)), ones()),
    };
    Ok(ParameterData { shape: shape.to_vec(), values, scales })
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

/// Fails with the index of the first value that is NaN or infinite after scaling.
pub(super) fn refuse_non_finite(name: &str, parameter: &ParameterData) -> Result<()> {
    let ParameterData { shape, values, scales } = parameter;
    if let Values::F32(data) = values {
        return refuse_non_finite_floats(name, shape, data);
    }
    // If the largest byte times the scale is finite, all values are.
    let is_finite = |scale: &f32| matches!(values, Values::Q8(_)) && (scale * 128.0).is_finite();
    for row in scales.iter().enumerate().filter(|(_, scale)| !is_finite(scale)).map(|(row, _)| row) {
        if let Some((column, value)) = parameter.row(row).enumerate().find(|(_, value)| !value.is_finite()) {
            return Err(not_finite(name, shape, row * shape[1] + column, value));
        }
    }
    Ok(())
}

fn refuse_non_finite_floats(name: &str, shape: &[usize], data: &[f32]) -> Result<()> {
    match data.iter().position(|value| !value.is_finite()) {
        Some(flat) => Err(not_finite(name, shape, flat, data[flat])),
        None => Ok(()),
    }
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
