//! Float checkpoints → f16, q8 and q4, as safetensors files that any reader of the format can open.
//!
//! q8 `X.weight` I8 `[out, in]` with `X.weight.scale` F32 `[out]`: one scale per row. q4 `X.weight` U8 `[out, in/2]`, two
//! values per byte, low nibble first, in two's complement, with `X.weight.scale` F16 `[out, ⌈in/32⌉]`: one scale per group
//! of 32 columns. Scales apply to parts of rows, so NoNorm's `γ`, which scales rows, folds into them without loss.

use std::collections::BTreeMap;

use safetensors::Dtype;

use crate::error::{Error, Result};
use crate::kernels::WeightFormat;

use super::SCALE_SUFFIX;
use super::decode::decode;
use super::safetensors_file::SafetensorsFile;
use super::store::{StoredTensor, store};
use super::tensor::RawTensor;

/// Size and error of a quantized tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorReport {
    /// Name in the checkpoint.
    pub name: String,
    /// Shape as a float tensor.
    pub shape: Vec<usize>,
    /// Its new format.
    pub storage: WeightFormat,
    /// Size in bytes, including scales.
    pub bytes: u64,
    /// Maximum absolute error.
    pub max_error: f32,
    /// Root mean square of the errors divided by that of the values; 0 for a tensor of zeros.
    pub relative_error: f64,
}

/// A converted tensor, with its scales if the format has any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// The tensor under its original name.
    pub tensor: RawTensor,
    /// Its scales, named with [`SCALE_SUFFIX`].
    pub scale: Option<RawTensor>,
}

impl WeightFormat {
    /// Converts a tensor of a checkpoint to this format, exactly as a [`Quantizer`] would store it. Integers that aren't
    /// weights, and weights already stored in this format, stay unchanged.
    ///
    /// # Errors
    /// NaN or infinite values; weights quantized in another format.
    pub fn convert(self, raw: RawTensor) -> Result<Converted> {
        let is_scale = raw.name.ends_with(SCALE_SUFFIX);
        let stays = match raw.dtype {
            Dtype::F64 | Dtype::F32 | Dtype::F16 | Dtype::BF16 => is_scale,
            Dtype::I8 if raw.name.ends_with(".weight") => {
                self.of_tensor(&raw.name, &raw.shape) == WeightFormat::Q8
            }
            Dtype::U8 if raw.name.ends_with(".weight") => self == WeightFormat::Q4,
            _ => true,
        };
        if stays {
            return Ok(Converted { tensor: raw, scale: None });
        }
        if matches!(raw.dtype, Dtype::I8 | Dtype::U8) {
            return Err(already_quantized(&raw.name));
        }
        let StoredTensor { tensor, scale, .. } = store(&raw, self.of_tensor(&raw.name, &raw.shape))?;
        Ok(Converted { tensor, scale })
    }
}

fn already_quantized(name: &str) -> Error {
    Error::unsupported(
        format!("quantizing `{name}`, which is already quantized,"),
        "start from the F32, F16 or BF16 checkpoint",
    )
}

/// Takes the tensors of a float checkpoint one by one and produces the file.
#[derive(Debug)]
pub struct Quantizer {
    storage: WeightFormat,
    tensors: Vec<RawTensor>,
    reports: Vec<TensorReport>,
}

impl Quantizer {
    /// A quantizer to this format.
    pub fn new(storage: WeightFormat) -> Self {
        Quantizer { storage, tensors: Vec::new(), reports: Vec::new() }
    }

    /// Converts a tensor. Integers other than weights stay unchanged.
    ///
    /// # Errors
    /// NaN or infinite values, and checkpoints that are already quantized.
    pub fn push(&mut self, raw: RawTensor) -> Result<()> {
        if !is_float(&raw)? {
            self.tensors.push(raw);
            return Ok(());
        }
        let original = decode(&raw, None, &raw.shape)?;
        let stored = store(&raw, self.storage.of_tensor(&raw.name, &raw.shape))?;
        let restored = decode(&stored.tensor, stored.scale.as_ref(), &raw.shape)?;
        let bytes =
            std::iter::once(&stored.tensor).chain(&stored.scale).map(|raw| raw.bytes.len() as u64).sum();
        let (max_error, relative_error) = errors(&original.data, &restored.data);
        self.reports.push(TensorReport {
            name: raw.name,
            shape: raw.shape,
            storage: stored.storage,
            bytes,
            max_error,
            relative_error,
        });
        self.tensors.push(stored.tensor);
        self.tensors.extend(stored.scale);
        Ok(())
    }

    /// Like [`Quantizer::push`], without measuring the error.
    ///
    /// # Errors
    /// Same as [`Quantizer::push`].
    pub fn push_unmeasured(&mut self, raw: RawTensor) -> Result<()> {
        is_float(&raw)?;
        let Converted { tensor, scale } = self.storage.convert(raw)?;
        self.tensors.push(tensor);
        self.tensors.extend(scale);
        Ok(())
    }

    /// The bytes of the safetensors file, and a report per tensor.
    pub fn finish(mut self) -> Result<(Vec<u8>, Vec<TensorReport>)> {
        let reports = std::mem::take(&mut self.reports);
        Ok((self.into_file()?.to_bytes(), reports))
    }

    /// The safetensors file, for writing it part by part.
    ///
    /// # Errors
    /// [`Error::Internal`] if the header can't be written.
    pub fn into_file(self) -> Result<SafetensorsFile> {
        // `BTreeMap::from` would sort, and instantiate the algorithm for this type.
        let mut metadata = BTreeMap::new();
        metadata.extend([("dtype", self.storage.as_str()), ("format", "pt")]);
        SafetensorsFile::new(self.tensors, &metadata)
    }
}

/// Returns whether a tensor has floats to quantize. Fails if it is already quantized.
fn is_float(raw: &RawTensor) -> Result<bool> {
    match raw.dtype {
        Dtype::F64 | Dtype::F32 | Dtype::F16 | Dtype::BF16 => Ok(true),
        Dtype::I8 | Dtype::U8 if raw.name.ends_with(".weight") => Err(already_quantized(&raw.name)),
        _ => Ok(false),
    }
}

/// Maximum error, and root mean square of the errors divided by that of the values.
fn errors(before: &[f32], after: &[f32]) -> (f32, f64) {
    let differences = before.iter().zip(after).map(|(before, after)| before - after);
    let largest = differences.clone().fold(0f32, |largest, difference| largest.max(difference.abs()));
    let squares: f64 = differences.map(|difference| f64::from(difference).powi(2)).sum();
    let all: f64 = before.iter().map(|value| f64::from(*value).powi(2)).sum();
    (largest, if all > 0.0 { (squares / all).sqrt() } else { 0.0 })
}
