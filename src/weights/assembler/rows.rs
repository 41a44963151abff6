//! Stacks matrices vertically; keeps their format if they share one.

use crate::error::{Error, Result};
use crate::weights::tensor::{ParameterData, Tensor, Values, reserve};

/// The rows of all parts, or the values of all vectors. Parts in different formats are converted to floats.
pub(super) fn stack(parts: Vec<ParameterData>, name: &str) -> Result<ParameterData> {
    let columns = parts.first().map_or(&[][..], |part| &part.shape[1..]);
    if parts.iter().any(|part| &part.shape[1..] != columns) {
        return Err(Error::internal(name, "its parts have rows of different lengths"));
    }
    let rows = parts.iter().map(|part| part.shape[0]).sum();
    let shape = [&[rows], columns].concat();
    if let Some(values) = stack_as_stored(&parts) {
        let scales = parts.iter().flat_map(|part| &part.scales).copied().collect();
        return Ok(ParameterData { shape, values, scales });
    }
    let mut data = reserve(shape.iter().product(), name)?;
    for part in parts {
        data.append(&mut part.into_f32(name)?.data);
    }
    Ok(Tensor { shape, data }.into())
}

/// `None` if the parts are floats or their formats differ. Rows of 4-bit values are whole groups, and thus
/// whole bytes.
fn stack_as_stored(parts: &[ParameterData]) -> Option<Values> {
    let (first, rest) = parts.split_first()?;
    let mut all = first.values.clone();
    for part in rest {
        match (&mut all, &part.values) {
            (Values::F16(all), Values::F16(values)) => all.extend_from_slice(values),
            (Values::Q8(all), Values::Q8(values)) => all.extend_from_slice(values),
            (Values::Q4 { nibbles: all, groups }, Values::Q4 { nibbles, groups: more }) => {
                all.extend_from_slice(nibbles);
                groups.extend_from_slice(more);
            }
            _ => return None,
        }
    }
    (!matches!(all, Values::F32(_))).then_some(all)
}
