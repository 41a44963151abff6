//! A float tensor → its stored form, row by row.

use half::f16;
use safetensors::Dtype;

use crate::error::Result;
use crate::kernels::WeightFormat;

use super::SCALE_SUFFIX;
use super::decode::{Q4_GROUP, rows};
use super::tensor::RawTensor;

/// A tensor in its stored form.
pub(super) struct StoredTensor {
    pub(super) tensor: RawTensor,
    pub(super) scale: Option<RawTensor>,
    pub(super) storage: WeightFormat,
}

/// Converts a tensor to `storage`, or to the next larger format if its values don't fit.
pub(super) fn store(raw: &RawTensor, storage: WeightFormat) -> Result<StoredTensor> {
    let mut largest = 0f32;
    rows(raw, |row| largest = row.iter().fold(largest, |largest, value| largest.max(value.abs())))?;
    let fits = f16::MAX.to_f32();
    match storage {
        WeightFormat::F16 if largest <= fits => store_floats(raw, Dtype::F16),
        WeightFormat::Q4 if largest / 7.0 <= fits => store_q4(raw),
        WeightFormat::Q8 | WeightFormat::Q4 => store_q8(raw),
        WeightFormat::F32 | WeightFormat::F16 => store_floats(raw, Dtype::F32),
    }
}

fn store_floats(raw: &RawTensor, dtype: Dtype) -> Result<StoredTensor> {
    let len: usize = raw.shape.iter().product();
    let mut values = Vec::with_capacity(len * dtype.bitsize() / 8);
    rows(raw, |row| match dtype {
        Dtype::F16 => values.extend(row.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes())),
        _ => values.extend(row.iter().flat_map(|value| value.to_le_bytes())),
    })?;
    let storage = if dtype == Dtype::F16 { WeightFormat::F16 } else { WeightFormat::F32 };
    Ok(StoredTensor { tensor: tensor(&raw.name, dtype, &raw.shape, values), scale: None, storage })
}

fn store_q8(raw: &RawTensor) -> Result<StoredTensor> {
    let mut values = Vec::with_capacity(raw.shape.iter().product());
    let mut scales = Vec::with_capacity(raw.shape[0] * 4);
    rows(raw, |row| {
        let largest = row.iter().fold(0f32, |largest, value| largest.max(value.abs()));
        let scale = largest / 127.0;
        // The scale of a very small row would be subnormal and lose precision, so the row becomes zeros.
        let scale = if scale.is_normal() { scale } else { 0.0 };
        let quantized = |value: &f32| if scale == 0.0 { 0 } else { (value / scale).round() as i8 };
        values.extend(row.iter().map(|value| quantized(value).max(-127) as u8));
        scales.extend(scale.to_le_bytes());
    })?;
    Ok(StoredTensor {
        tensor: tensor(&raw.name, Dtype::I8, &raw.shape, values),
        scale: Some(tensor(&scale_name(&raw.name), Dtype::F32, &raw.shape[..1], scales)),
        storage: WeightFormat::Q8,
    })
}

fn store_q4(raw: &RawTensor) -> Result<StoredTensor> {
    let [height, columns] = [raw.shape[0], raw.shape[1]];
    let mut values = Vec::with_capacity(height * columns / 2);
    let mut scales = Vec::with_capacity(height * columns.div_ceil(Q4_GROUP) * 2);
    rows(raw, |row| {
        for group in row.chunks(Q4_GROUP) {
            let scale = best_scale(group);
            let nibble = |value: f32| q4_value(value, scale.to_f32()) as u8 & 0xF;
            values.extend(group.chunks(2).map(|pair| nibble(pair[0]) | nibble(pair[1]) << 4));
            scales.extend(scale.to_le_bytes());
        }
    })?;
    let scale_shape = [height, columns.div_ceil(Q4_GROUP)];
    Ok(StoredTensor {
        tensor: tensor(&raw.name, Dtype::U8, &[height, columns / 2], values),
        scale: Some(tensor(&scale_name(&raw.name), Dtype::F16, &scale_shape, scales)),
        storage: WeightFormat::Q4,
    })
}

fn scale_name(name: &str) -> String {
    format!("{name}{SCALE_SUFFIX}")
}

/// `value / scale`, rounded and clamped to −8..=7.
fn q4_value(value: f32, scale: f32) -> i8 {
    if scale == 0.0 { 0 } else { (value / scale).round().clamp(-8.0, 7.0) as i8 }
}

/// The scale of a group with the smallest squared error among a few candidates: those that map the extreme
/// value to 7 or, with a negative scale, to −8, and slightly smaller ones, which clip the extreme value for
/// the benefit of the others.
fn best_scale(group: &[f32]) -> f16 {
    let extreme =
        group.iter().copied().fold(0f32, |max, value| if value.abs() > max.abs() { value } else { max });
    let squared_error = |scale: f16| -> f64 {
        let scale = scale.to_f32();
        let difference = |value: &f32| f64::from(value - scale * f32::from(q4_value(*value, scale)));
        group.iter().map(|value| difference(value).powi(2)).sum()
    };
    let full = [extreme.abs() / 7.0, -extreme / 8.0];
    let candidates =
        full.into_iter().flat_map(|full| [1.0, 0.92, 0.84].map(|shrink| f16::from_f32(full * shrink)));
    let finite = candidates.filter(|scale| scale.is_finite());
    finite.min_by(|left, right| squared_error(*left).total_cmp(&squared_error(*right))).unwrap_or(f16::ZERO)
}

fn tensor(name: &str, dtype: Dtype, shape: &[usize], bytes: Vec<u8>) -> RawTensor {
    RawTensor { name: name.into(), dtype, shape: shape.to_vec(), bytes }
}
