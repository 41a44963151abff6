//! Matrices under each other, as stored if all of them are stored in one format.

use crate::error::{Error, Result};
use crate::weights::tensor::{PackedTensor, PackedValues, ParameterData, Q8Tensor, Tensor, reserve};

/// The rows of all parts, or the values of all vectors. Parts of different formats become floats.
pub(super) fn stack(parts: Vec<ParameterData>, name: &str) -> Result<ParameterData> {
    let columns = parts.first().map_or(&[][..], |part| &part.shape()[1..]);
    if parts.iter().any(|part| &part.shape()[1..] != columns) {
        return Err(Error::internal(name, "its parts have rows of different lengths"));
    }
    let rows = parts.iter().map(|part| part.shape()[0]).sum();
    let shape = [&[rows], columns].concat();
    if let Some(values) = stack_q8(&parts, &shape).or_else(|| stack_packed(&parts, &shape)) {
        return Ok(values);
    }
    let mut data = reserve(shape.iter().product(), name)?;
    for part in parts {
        data.append(&mut part.into_f32(name)?.data);
    }
    Ok(Tensor { shape, data }.into())
}

fn stack_q8(parts: &[ParameterData], shape: &[usize]) -> Option<ParameterData> {
    let tensors: Vec<&Q8Tensor> = all(parts, |part| match part {
        ParameterData::Q8(tensor) => Some(tensor),
        _ => None,
    })?;
    Some(ParameterData::Q8(Q8Tensor {
        shape: shape.to_vec(),
        values: concatenated(&tensors, |tensor| &tensor.values),
        scales: concatenated(&tensors, |tensor| &tensor.scales),
    }))
}

/// Rows of 4-bit values are whole groups, and so whole bytes.
fn stack_packed(parts: &[ParameterData], shape: &[usize]) -> Option<ParameterData> {
    let tensors: Vec<&PackedTensor> = all(parts, |part| match part {
        ParameterData::Packed(tensor) => Some(tensor),
        _ => None,
    })?;
    let halves: Option<Vec<&[u16]>> = all(&tensors, |tensor| match &tensor.values {
        PackedValues::F16(values) => Some(values.as_slice()),
        PackedValues::Q4 { .. } => None,
    });
    let nibbles: Option<Vec<(&[u8], &[u16])>> = all(&tensors, |tensor| match &tensor.values {
        PackedValues::Q4 { nibbles, groups } => Some((nibbles.as_slice(), groups.as_slice())),
        PackedValues::F16(_) => None,
    });
    let values = match (halves, nibbles) {
        (Some(halves), _) => PackedValues::F16(halves.concat()),
        (None, Some(parts)) => PackedValues::Q4 {
            nibbles: concatenated(&parts, |(nibbles, _)| nibbles),
            groups: concatenated(&parts, |(_, groups)| groups),
        },
        (None, None) => return None,
    };
    let scales = concatenated(&tensors, |tensor| &tensor.scales);
    Some(ParameterData::Packed(PackedTensor { shape: shape.to_vec(), values, scales }))
}

/// The values of all, if each has one.
fn all<'a, T, U>(items: &'a [T], of: impl Fn(&'a T) -> Option<U>) -> Option<Vec<U>> {
    items.iter().map(of).collect()
}

fn concatenated<'a, T, U: Clone + 'a>(items: &'a [T], of: impl Fn(&'a T) -> &'a [U]) -> Vec<U> {
    items.iter().map(of).collect::<Vec<_>>().concat()
}
