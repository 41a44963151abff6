//! Float checkpoints → f16, q8 and q4, as safetensors that any reader of the format can open.
//!
//! q8 `X.weight` I8 `[out, in]` with `X.weight.scale` F32 `[out]`: a scale a row. q4 `X.weight` U8 `[out, in/2]`, two
//! values a byte, low nibble first, in two's complement, with `X.weight.scale` F16 `[out, in/32]`: a scale a group of
//! 32 columns. Scales run along rows, so that NoNorm's `γ`, which scales rows, folds into them without a loss.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use half::f16;
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use crate::error::{Error, Result};
use crate::plan::Network;

use super::decode::{Q4_GROUP, decode};
use super::tensor::RawTensor;
use super::{SCALE_SUFFIX, Tensor};

/// How a checkpoint's weights are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Storage {
    /// 32-bit floats.
    F32,
    /// 16-bit floats; a tensor with values beyond 65504 stays in 32 bits.
    F16,
    /// Matrices in 8 bits with a scale a row, vectors in 32.
    Q8,
    /// Matrices of layers and word vectors in 4 bits with a scale a group, other matrices in 8, vectors in 32.
    Q4,
}

impl Storage {
    /// Every form.
    pub const ALL: [Storage; 4] = [Storage::F32, Storage::F16, Storage::Q8, Storage::Q4];

    /// `f32`, `f16`, `q8` or `q4`.
    pub fn as_str(self) -> &'static str {
        match self {
            Storage::F32 => "f32",
            Storage::F16 => "f16",
            Storage::Q8 => "q8",
            Storage::Q4 => "q4",
        }
    }

    /// What becomes of a tensor of this name and shape.
    pub fn of_tensor(self, name: &str, shape: &[usize]) -> Storage {
        let [_, columns] = *shape else {
            return if self == Storage::F16 { Storage::F16 } else { Storage::F32 };
        };
        let is_large = name.contains(".layer.") || name.contains("word_embeddings");
        match self {
            Storage::Q8 | Storage::Q4 if !name.ends_with(".weight") => Storage::F32,
            Storage::Q4 if !is_large || !columns.is_multiple_of(Q4_GROUP) => Storage::Q8,
            other => other,
        }
    }

    /// Bytes of a tensor stored so, scales included.
    fn bytes_of(self, shape: &[usize]) -> u64 {
        let values = shape.iter().product::<usize>() as u64;
        let rows = shape.first().copied().unwrap_or(1) as u64;
        match self {
            Storage::F32 => 4 * values,
            Storage::F16 => 2 * values,
            Storage::Q8 => values + 4 * rows,
            Storage::Q4 => values / 2 + 2 * (values / Q4_GROUP as u64),
        }
    }

    /// Bytes that a network's tensors take when stored so, without the file's header.
    pub fn network_bytes(self, network: &Network) -> u64 {
        let tensors = network.tensors().into_iter();
        tensors.map(|(name, shape)| self.of_tensor(name, shape).bytes_of(shape)).sum()
    }
}

impl fmt::Display for Storage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Storage {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Storage::ALL
            .into_iter()
            .find(|storage| storage.as_str() == name)
            .ok_or_else(|| Error::invalid_input("dtype", format!("is {name:?}, must be f32, f16, q8 or q4")))
    }
}

/// What storing cost one tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorReport {
    /// The checkpoint's name.
    pub name: String,
    /// Its shape as a float tensor.
    pub shape: Vec<usize>,
    /// How it is stored now.
    pub storage: Storage,
    /// Bytes, scales included.
    pub bytes: u64,
    /// Largest difference to the value before.
    pub max_error: f32,
    /// Root mean square of the differences over that of the values; 0 for a tensor of zeros.
    pub relative_error: f64,
}

/// A tensor in another form, with its scales where that form has some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// The tensor under its own name.
    pub tensor: RawTensor,
    /// Its scales, named as files name them.
    pub scale: Option<RawTensor>,
}

impl Storage {
    /// A tensor of a checkpoint in this form: exactly what a file that a [`Quantizer`] made would hold of it. Integers
    /// that are no weights, and weights that are stored in this form already, stay as they are.
    ///
    /// # Errors
    /// NaN or infinite values; weights that are quantised in another form.
    pub fn convert(self, raw: RawTensor) -> Result<Converted> {
        let is_scale = raw.name.ends_with(SCALE_SUFFIX);
        let stays = match raw.dtype {
            Dtype::F32 | Dtype::F16 | Dtype::BF16 => is_scale,
            Dtype::I8 if raw.name.ends_with(".weight") => matches!(self, Storage::Q8 | Storage::Q4),
            Dtype::U8 if raw.name.ends_with(".weight") => self == Storage::Q4,
            _ => true,
        };
        if stays {
            return Ok(Converted { tensor: raw, scale: None });
        }
        if matches!(raw.dtype, Dtype::I8 | Dtype::U8) {
            return Err(quantised_already(&raw.name));
        }
        let Stored { tensor, scale, .. } =
            store(&raw.name, &decode(&raw, None, &raw.shape)?, self.of_tensor(&raw.name, &raw.shape));
        Ok(Converted { tensor, scale })
    }
}

fn quantised_already(name: &str) -> Error {
    Error::unsupported(
        format!("quantising `{name}`, which is quantised already,"),
        "start from the F32, F16 or BF16 checkpoint",
    )
}

/// Takes the tensors of a float checkpoint one by one and makes the file.
#[derive(Debug)]
pub struct Quantizer {
    storage: Storage,
    tensors: Vec<RawTensor>,
    reports: Vec<TensorReport>,
}

impl Quantizer {
    /// A file in this form.
    pub fn new(storage: Storage) -> Self {
        Quantizer { storage, tensors: Vec::new(), reports: Vec::new() }
    }

    /// Converts a tensor. Integers that a checkpoint may carry besides its weights stay as they are.
    ///
    /// # Errors
    /// NaN or infinite values, and checkpoints that are quantised already.
    pub fn push(&mut self, raw: RawTensor) -> Result<()> {
        match raw.dtype {
            Dtype::F32 | Dtype::F16 | Dtype::BF16 => {}
            Dtype::I8 | Dtype::U8 if raw.name.ends_with(".weight") => {
                return Err(quantised_already(&raw.name));
            }
            _ => {
                self.tensors.push(raw);
                return Ok(());
            }
        }
        let original = decode(&raw, None, &raw.shape)?;
        let stored = store(&raw.name, &original, self.storage.of_tensor(&raw.name, &raw.shape));
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

    /// The bytes of the safetensors file, and what each tensor lost.
    pub fn finish(self) -> Result<(Vec<u8>, Vec<TensorReport>)> {
        let metadata = BTreeMap::from([("dtype", self.storage.as_str()), ("format", "pt")]);
        Ok((to_file(&self.tensors, &metadata)?, self.reports))
    }
}

/// The bytes of a safetensors file with `__metadata__`. The same tensors give the same bytes.
pub fn to_file(tensors: &[RawTensor], metadata: &BTreeMap<&str, &str>) -> Result<Vec<u8>> {
    let fail = |problem: String| Error::internal("model.safetensors", problem);
    let mut views = Vec::with_capacity(tensors.len());
    for raw in tensors {
        let view = TensorView::new(raw.dtype, raw.shape.clone(), &raw.bytes)
            .map_err(|error| Error::tensor(&raw.name, error.to_string()))?;
        views.push((raw.name.as_str(), view));
    }
    let file = safetensors::serialize(views, None).map_err(|error| fail(error.to_string()))?;
    // The crate writes metadata in a hash map's order, which changes from run to run; so it is put in here.
    let header = super::Header::of_file("model.safetensors", &file)?;
    let data = header.tensors.first().map_or(file.len(), |entry| entry.begin as usize);
    let json = file[8..data].trim_ascii_end();
    let metadata = serde_json::to_string(metadata).map_err(|error| fail(error.to_string()))?;
    let mut joined = format!("{{\"__metadata__\":{metadata}").into_bytes();
    if json.len() > 2 {
        joined.push(b',');
    }
    joined.extend_from_slice(&json[1..]);
    joined.resize(joined.len().next_multiple_of(8), b' ');
    let mut bytes = Vec::with_capacity(8 + joined.len() + file.len() - data);
    bytes.extend((joined.len() as u64).to_le_bytes());
    bytes.extend(joined);
    bytes.extend(&file[data..]);
    Ok(bytes)
}

struct Stored {
    tensor: RawTensor,
    scale: Option<RawTensor>,
    storage: Storage,
}

/// A tensor in the form wanted, or in the next larger one where its values do not fit.
fn store(name: &str, tensor: &Tensor, storage: Storage) -> Stored {
    let largest = tensor.data.iter().fold(0f32, |largest, value| largest.max(value.abs()));
    let fits = f16::MAX.to_f32();
    match storage {
        Storage::F16 if largest <= fits => {
            let bytes = tensor.data.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect();
            Stored { tensor: raw(name, Dtype::F16, &tensor.shape, bytes), scale: None, storage }
        }
        Storage::Q4 if largest / 7.0 <= fits => store_q4(name, tensor),
        Storage::Q8 | Storage::Q4 => store_q8(name, tensor),
        Storage::F32 | Storage::F16 => {
            let bytes = tensor.data.iter().flat_map(|value| value.to_le_bytes()).collect();
            Stored { tensor: raw(name, Dtype::F32, &tensor.shape, bytes), scale: None, storage: Storage::F32 }
        }
    }
}

fn store_q8(name: &str, tensor: &Tensor) -> Stored {
    let columns = tensor.shape[1];
    let mut values = Vec::with_capacity(tensor.data.len());
    let mut scales = Vec::with_capacity(tensor.shape[0] * 4);
    for row in tensor.data.chunks(columns.max(1)) {
        let largest = row.iter().fold(0f32, |largest, value| largest.max(value.abs()));
        let scale = largest / 127.0;
        // Rows this small are zeros: their scale would lose its digits.
        let scale = if scale.is_normal() { scale } else { 0.0 };
        let quantised = |value: &f32| if scale == 0.0 { 0 } else { (value / scale).round() as i8 };
        values.extend(row.iter().map(|value| quantised(value).max(-127) as u8));
        scales.extend(scale.to_le_bytes());
    }
    Stored {
        tensor: raw(name, Dtype::I8, &tensor.shape, values),
        scale: Some(raw(&format!("{name}{SCALE_SUFFIX}"), Dtype::F32, &tensor.shape[..1], scales)),
        storage: Storage::Q8,
    }
}

fn store_q4(name: &str, tensor: &Tensor) -> Stored {
    let [rows, columns] = [tensor.shape[0], tensor.shape[1]];
    let mut values = Vec::with_capacity(tensor.data.len() / 2);
    let mut scales = Vec::with_capacity(tensor.data.len() / Q4_GROUP * 2);
    for group in tensor.data.chunks(Q4_GROUP) {
        let scale = best_scale(group);
        let nibble = |value: f32| q4_value(value, scale.to_f32()) as u8 & 0xF;
        values.extend(group.chunks(2).map(|pair| nibble(pair[0]) | nibble(pair[1]) << 4));
        scales.extend(scale.to_le_bytes());
    }
    let scale_shape = [rows, columns / Q4_GROUP];
    Stored {
        tensor: raw(name, Dtype::U8, &[rows, columns / 2], values),
        scale: Some(raw(&format!("{name}{SCALE_SUFFIX}"), Dtype::F16, &scale_shape, scales)),
        storage: Storage::Q4,
    }
}

/// The value of −8..=7 next to `value / scale`.
fn q4_value(value: f32, scale: f32) -> i8 {
    if scale == 0.0 { 0 } else { (value / scale).round().clamp(-8.0, 7.0) as i8 }
}

/// The scale of a group with the least squared error among a few: the extreme value on 7, or with a scale of its sign
/// turned on −8, each also shrunk a little, which gives up the extreme for the sake of the rest.
fn best_scale(group: &[f32]) -> f16 {
    let extreme =
        group.iter().copied().fold(0f32, |most, value| if value.abs() > most.abs() { value } else { most });
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

fn raw(name: &str, dtype: Dtype, shape: &[usize], bytes: Vec<u8>) -> RawTensor {
    RawTensor { name: name.into(), dtype, shape: shape.to_vec(), bytes }
}

/// Largest difference, and root mean square of the differences over that of the values.
fn errors(before: &[f32], after: &[f32]) -> (f32, f64) {
    let differences = before.iter().zip(after).map(|(before, after)| before - after);
    let largest = differences.clone().fold(0f32, |largest, difference| largest.max(difference.abs()));
    let squares: f64 = differences.map(|difference| f64::from(difference).powi(2)).sum();
    let all: f64 = before.iter().map(|value| f64::from(*value).powi(2)).sum();
    (largest, if all > 0.0 { (squares / all).sqrt() } else { 0.0 })
}
