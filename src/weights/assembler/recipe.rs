//! A recipe and its tensors → a parameter.

use safetensors::Dtype;

use super::{Assembler, PendingSource};
use crate::error::{Error, Result};
use crate::plan::{Parameter, Recipe, Source};
use crate::weights::decode::{decode, q8, refuse_non_finite, refuse_non_finite_q8};
use crate::weights::tensor::{ParameterData, Q8Tensor, RawTensor, Tensor};

impl Assembler {
    pub(super) fn evaluate(&self, parameter: &Parameter) -> Result<ParameterData> {
        let values = match self.in_8_bits(parameter)? {
            Some(tensor) => ParameterData::Q8(tensor),
            None => ParameterData::F32(self.in_floats(parameter)?),
        };
        if values.shape() != parameter.shape || !values.is_whole() {
            let problem = format!("came out as {:?}, not {:?}", values.shape(), parameter.shape);
            return Err(Error::internal(&parameter.name, problem));
        }
        match &values {
            ParameterData::F32(tensor) => refuse_non_finite(&parameter.name, &tensor.shape, &tensor.data)?,
            ParameterData::Q8(tensor) => refuse_non_finite_q8(&parameter.name, tensor)?,
        }
        Ok(values)
    }

    /// A matrix stored as q8 of which the recipe only scales rows: γ and the factor are multiplied into the row scales.
    fn in_8_bits(&self, parameter: &Parameter) -> Result<Option<Q8Tensor>> {
        let Recipe::Fold { tensor, scale, axis, shift: None, factor } = &parameter.recipe else {
            return Ok(None);
        };
        let stored = self.stored(tensor)?;
        if stored.0.dtype != Dtype::I8 || (scale.is_some() && *axis != 0) {
            return Ok(None);
        }
        let mut quantized = q8(stored.0, stored.1, &tensor.shape)?;
        let gamma = scale.as_ref().map(|scale| self.decode(scale)).transpose()?;
        let mut scales = Tensor { shape: vec![quantized.scales.len()], data: quantized.scales };
        fold(&mut scales, gamma, None, 0, *factor);
        quantized.scales = scales.data;
        Ok(Some(quantized))
    }

    fn in_floats(&self, parameter: &Parameter) -> Result<Tensor> {
        Ok(match &parameter.recipe {
            Recipe::Zeros => {
                Tensor { shape: parameter.shape.clone(), data: vec![0.0; parameter.shape.iter().product()] }
            }
            Recipe::Identity => identity(parameter)?,
            Recipe::Columns(columns) => self.columns(parameter, columns)?,
            Recipe::Fold { tensor, scale, axis, shift, factor } => {
                let mut folded = self.decode(tensor)?;
                let scale = scale.as_ref().map(|scale| self.decode(scale)).transpose()?;
                let shift = shift.as_ref().map(|shift| self.decode(shift)).transpose()?;
                fold(&mut folded, scale, shift, *axis, *factor);
                folded
            }
        })
    }

    /// A stored tensor with its scales.
    fn stored(&self, source: &Source) -> Result<(&RawTensor, Option<&RawTensor>)> {
        let waiting = self.by_name.get(source.name()).map(|place| &self.sources[*place]);
        match waiting {
            Some(PendingSource { raw: Some(raw), scale, .. }) => Ok((raw, scale.as_ref())),
            _ => Err(Error::internal(source.name(), "was freed before a parameter used it")),
        }
    }

    fn decode(&self, source: &Source) -> Result<Tensor> {
        let (raw, scale) = self.stored(source)?;
        decode(raw, scale, &source.shape)
    }

    fn columns(&self, parameter: &Parameter, columns: &[(Source, bool)]) -> Result<Tensor> {
        let [rows, width] = parameter.shape[..] else {
            return Err(Error::internal(&parameter.name, "columns need a matrix"));
        };
        let mut data = vec![0.0; rows * width];
        let mut start = 0;
        for (source, transposed) in columns {
            let part = self.decode(source)?;
            let part_width = part.data.len() / rows.max(1);
            for row in 0..rows {
                for column in 0..part_width {
                    let from = if *transposed { column * rows + row } else { row * part_width + column };
                    data[row * width + start + column] = part.data[from];
                }
            }
            start += part_width;
        }
        Ok(Tensor { shape: parameter.shape.clone(), data })
    }
}

fn identity(parameter: &Parameter) -> Result<Tensor> {
    let [rows, columns] = parameter.shape[..] else {
        return Err(Error::internal(&parameter.name, "an identity needs a matrix"));
    };
    let mut data = vec![0.0; rows * columns];
    data.iter_mut().step_by(columns + 1).for_each(|value| *value = 1.0);
    Ok(Tensor { shape: parameter.shape.clone(), data })
}

/// `factor · (scale ∘ tensor + shift)` in place, `scale` and `shift` along `axis`; rounded once.
fn fold(tensor: &mut Tensor, scale: Option<Tensor>, shift: Option<Tensor>, axis: usize, factor: f32) {
    if scale.is_none() && shift.is_none() && factor == 1.0 {
        return;
    }
    let size = tensor.shape[axis].max(1);
    // Values with the same index along `axis` are contiguous in runs of this length.
    let run = tensor.shape[axis + 1..].iter().product::<usize>().max(1);
    for (chunk_index, chunk) in tensor.data.chunks_mut(run).enumerate() {
        let index = chunk_index % size;
        let scale = scale.as_ref().map_or(1.0, |scale| f64::from(scale.data[index]));
        let shift = shift.as_ref().map_or(0.0, |shift| f64::from(shift.data[index]));
        for value in chunk {
            *value = (f64::from(factor) * (scale * f64::from(*value) + shift)) as f32;
        }
    }
}
