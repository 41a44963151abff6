//! Storage formats of a checkpoint's weights.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::plan::Network;

use super::decode::Q4_GROUP;

/// The columns of MobileBERT's decoder beyond the width of its word embeddings, `[hidden − embedding,
/// vocab]`.
const DECODER_COLUMNS: &str = "cls.predictions.dense.weight";

/// Storage format of a checkpoint's weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Storage {
    /// 32-bit floats.
    F32,
    /// 16-bit floats; a tensor with values beyond ±65504 stays in 32 bits.
    F16,
    /// Matrices in 8 bits with one scale per row, vectors in 32 bits.
    Q8,
    /// Matrices of layers, word embeddings and MobileBERT's masked-word decoder in 4 bits with one scale per
    /// group, other matrices in 8 bits, vectors in 32 bits.
    Q4,
}

impl Storage {
    /// All formats.
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

    /// The format of a tensor with this name and shape.
    pub fn of_tensor(self, name: &str, shape: &[usize]) -> Storage {
        let [_, columns] = *shape else {
            return if self == Storage::F16 { Storage::F16 } else { Storage::F32 };
        };
        let in_groups = if name.contains(".layer.") || name.contains("word_embeddings") {
            columns.is_multiple_of(Q4_GROUP)
        } else {
            // Half of a MobileBERT with a masked-word head. It is converted to floats anyway, so its groups
            // needn't be whole.
            name.ends_with(DECODER_COLUMNS) && columns.is_multiple_of(2)
        };
        match self {
            Storage::Q8 | Storage::Q4 if !name.ends_with(".weight") => Storage::F32,
            Storage::Q4 if !in_groups => Storage::Q8,
            other => other,
        }
    }

    /// Size of a tensor in this format in bytes, including scales.
    fn bytes_of(self, shape: &[usize]) -> u64 {
        let values = shape.iter().product::<usize>() as u64;
        let rows = shape.first().copied().unwrap_or(1) as u64;
        match self {
            Storage::F32 => 4 * values,
            Storage::F16 => 2 * values,
            Storage::Q8 => values + 4 * rows,
            Storage::Q4 => {
                let columns = shape.last().copied().unwrap_or(0);
                values / 2 + 2 * rows * columns.div_ceil(Q4_GROUP) as u64
            }
        }
    }

    /// Size of a network's tensors in this format in bytes, without the file's header.
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
