//! The format of each tensor of a checkpoint.

use super::decode::Q4_GROUP;
use crate::kernels::WeightFormat;
use crate::plan::Network;

/// The columns of MobileBERT's decoder beyond the width of its word embeddings, `[hidden − embedding,
/// vocab]`.
const DECODER_COLUMNS: &str = "cls.predictions.dense.weight";

impl WeightFormat {
    /// The format in which a checkpoint of this format stores a tensor. Vectors stay floats. In
    /// [`WeightFormat::Q4`], only matrices of layers, word embeddings and MobileBERT's masked-word decoder have
    /// 4 bits; the others have 8.
    pub fn of_tensor(self, name: &str, shape: &[usize]) -> WeightFormat {
        let [_, columns] = *shape else {
            return if self == WeightFormat::F16 { WeightFormat::F16 } else { WeightFormat::F32 };
        };
        let in_groups = if name.contains(".layer.") || name.contains("word_embeddings") {
            columns.is_multiple_of(Q4_GROUP)
        } else {
            // Half of a MobileBERT with a masked-word head. It is converted to floats anyway, so its groups
            // needn't be whole.
            name.ends_with(DECODER_COLUMNS) && columns.is_multiple_of(2)
        };
        match self {
            WeightFormat::Q8 | WeightFormat::Q4 if !name.ends_with(".weight") => WeightFormat::F32,
            WeightFormat::Q4 if !in_groups => WeightFormat::Q8,
            other => other,
        }
    }

    /// Size of a tensor in this format in bytes, including scales.
    fn bytes_of(self, shape: &[usize]) -> u64 {
        let values = shape.iter().product::<usize>() as u64;
        let rows = shape.first().copied().unwrap_or(1) as u64;
        match self {
            WeightFormat::F32 => 4 * values,
            WeightFormat::F16 => 2 * values,
            WeightFormat::Q8 => values + 4 * rows,
            WeightFormat::Q4 => {
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
