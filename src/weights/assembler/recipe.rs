//! A recipe and its tensors → a parameter.

use safetensors::Dtype;

use super::{Assembler, PendingSource, product, rows};
use crate::error::{Error, Result};
use crate::plan::{Parameter, Recipe, Source};
use crate::weights::decode::{Q4_GROUP, as_stored, decode, refuse_non_finite};
use crate::weights::tensor::{ParameterData, RawTensor, Tensor};

impl Assembler {
    pub(super) fn evaluate(&self, parameter: &Parameter) -> Result<ParameterData> {
        let values = self.value(&parameter.recipe, &parameter.name, &parameter.shape)?;
        if values.shape != parameter.shape || !values.is_whole() {
            let problem = format!("came out as {:?}, not {:?}", values.shape, parameter.shape);
            return Err(Error::internal(&parameter.name, problem));
        }
        Ok(values)
    }

    /// The result of a recipe, in its stored format if possible; NaN and infinite values are errors. `name`
    /// and `shape` are the parameter's.
    fn value(&self, recipe: &Recipe, name: &str, shape: &[usize]) -> Result<ParameterData> {
        // Errors name the tensor at fault, whatever parameter it is a part of.
        let name = match recipe {
            Recipe::Fold { tensor, .. } => tensor.name(),
            _ => name,
        };
        let values = match recipe {
            Recipe::Zeros => Tensor { shape: shape.to_vec(), data: vec![0.0; shape.iter().product()] }.into(),
            Recipe::Identity => identity(name, shape)?.into(),
            Recipe::Columns(columns) => self.columns(name, shape, columns)?.into(),
            Recipe::Rows(parts) => {
                let parts = parts.iter().map(|part| self.value(part, name, shape));
                return rows::stack(parts.collect::<Result<_>>()?, name);
            }
            Recipe::Product { left, right, added } => {
                let floats = |recipe: &_| self.value(recipe, name, shape)?.into_f32(name);
                let added = added.as_deref().map(floats).transpose()?;
                product::product(&floats(left)?, &floats(right)?, added.as_ref(), name)?.into()
            }
            Recipe::Fold { tensor, scale, axis, shift, factor } => match self.as_stored(recipe)? {
                Some(values) => values,
                None => {
                    let mut folded = self.decode(tensor)?;
                    let scale = scale.as_ref().map(|scale| self.decode(scale)).transpose()?;
                    let shift = shift.as_ref().map(|shift| self.decode(shift)).transpose()?;
                    fold(&mut folded, scale, shift, *axis, *factor);
                    folded.into()
                }
            },
        };
        refuse_non_finite(name, &values)?;
        Ok(values)
    }

    /// A matrix stored in f16, q8 or q4, if the recipe only scales its rows: γ and the factor are multiplied
    /// into the scales of the rows.
    fn as_stored(&self, recipe: &Recipe) -> Result<Option<ParameterData>> {
        let (Some(tensor), Recipe::Fold { scale, factor, .. }) = (recipe.row_scaled(), recipe) else {
            return Ok(None);
        };
        let (raw, stored_scale) = self.stored(tensor)?;
        let is_kept = match raw.dtype {
            Dtype::F16 | Dtype::I8 => true,
            // The kernels multiply whole groups.
            Dtype::U8 => tensor.shape.last().is_some_and(|columns| columns.is_multiple_of(Q4_GROUP)),
            _ => false,
        };
        if !is_kept {
            return Ok(None);
        }
        let mut values = as_stored(raw, stored_scale, &tensor.shape)?;
        let gamma = scale.as_ref().map(|scale| self.decode(scale)).transpose()?;
        let mut scales = Tensor { shape: vec![values.scales.len()], data: values.scales };
        fold(&mut scales, gamma, None, 0, *factor);
        values.scales = scales.data;
        Ok(Some(values))
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

    fn columns(&self, name: &str, shape: &[usize], columns: &[(Source, bool)]) -> Result<Tensor> {
        let [rows, width] = *shape else {
            return Err(Error::internal(name, "columns need a matrix"));
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
        Ok(Tensor { shape: shape.to_vec(), data })
    }
}

fn identity(name: &str, shape: &[usize]) -> Result<Tensor> {
    let [rows, columns] = *shape else {
        return Err(Error::internal(name, "an identity needs a matrix"));
    };
    let mut data = vec![0.0; rows * columns];
    data.iter_mut().step_by(columns + 1).for_each(|value| *value = 1.0);
    Ok(Tensor { shape: shape.to_vec(), data })
}

/// Computes `factor · (scale ∘ tensor + shift)` in place, with `scale` and `shift` along `axis`; rounds once.
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
