//! Small random checkpoints with every tensor that a network needs.

use std::collections::BTreeMap;

use mobilebert::config::Config;
use mobilebert::error::Result;
use mobilebert::plan::{Inputs, Network};
use mobilebert::weights::{Assembler, Dtype, RawTensor};

use super::interpreter::Parameters;
use super::random::Random;
use super::reference_model::Tensors;

/// Random values for every tensor of `network`, distributed like trained ones: norm weights are around one, the others
/// are such that activations neither vanish nor explode.
pub fn tensors(network: &Network, random: &mut Random) -> Tensors {
    let mut tensors = Tensors::new();
    // In the order of their names, so that values don't depend on how the network uses the tensors.
    for (name, shape) in network.tensors() {
        let size = match *shape {
            [_, columns] => 1.0 / (columns as f32).sqrt(),
            _ => 0.3,
        };
        let is_norm = name.to_lowercase().contains("norm") && name.ends_with("weight");
        let center = if is_norm { 1.0 } else { 0.0 };
        let values =
            random.values(shape.iter().product(), size).into_iter().map(|value| f64::from(value + center));
        // Round to f32, as a file would.
        let values = values.map(|value| f64::from(value as f32)).collect();
        tensors.insert(name.to_owned(), (shape.to_vec(), values));
    }
    tensors
}

/// A tensor stored as F32.
pub fn raw_f32(name: &str, shape: &[usize], values: &[f64]) -> RawTensor {
    RawTensor {
        name: name.into(),
        dtype: Dtype::F32,
        shape: shape.to_vec(),
        bytes: values.iter().flat_map(|value| (*value as f32).to_le_bytes()).collect(),
    }
}

/// All tensors stored as F32.
pub fn raw(tensors: &Tensors) -> Vec<RawTensor> {
    tensors.iter().map(|(name, (shape, values))| raw_f32(name, shape, values)).collect()
}

/// The bytes of a safetensors file.
pub fn file(raw: &[RawTensor], metadata: &[(&str, &str)]) -> Vec<u8> {
    let views: Vec<_> = raw
        .iter()
        .map(|raw| {
            let view = safetensors::tensor::TensorView::new(raw.dtype, raw.shape.clone(), &raw.bytes);
            (raw.name.clone(), view.unwrap())
        })
        .collect();
    let metadata: BTreeMap<_, _> = metadata.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let metadata = (!metadata.is_empty()).then(|| metadata.into_iter().collect());
    safetensors::serialize(views, metadata).unwrap()
}

/// Assembles a network's parameters from stored tensors.
pub fn assemble(network: &Network, raw: impl IntoIterator<Item = RawTensor>) -> Result<Parameters> {
    let mut parameters = vec![Vec::new(); network.parameters.len()];
    let mut assembler = Assembler::new(network);
    for raw in raw {
        assembler.push(raw)?;
        while let Some((id, values)) = assembler.next_ready()? {
            let parameter = &network.parameters[id.0];
            let tensor = values.into_f32(&parameter.name)?;
            assert_eq!(tensor.shape, parameter.shape);
            parameters[id.0] = tensor.data.into_iter().map(f64::from).collect();
        }
    }
    let held = assembler.held_bytes();
    assembler.finish()?;
    assert_eq!(held, 0, "unused tensors are still held");
    Ok(parameters)
}

/// Random ids, types, and masks; at least one token of each sequence is attended to.
pub fn inputs(config: &Config, batch: usize, sequence: usize, random: &mut Random) -> Inputs {
    let rows = batch * sequence;
    let mut mask: Vec<u32> = (0..rows).map(|_| u32::from(random.below(4) != 0)).collect();
    mask.iter_mut().step_by(sequence).for_each(|first| *first = 1);
    Inputs {
        input_ids: (0..rows).map(|_| random.below(config.vocab_size) as u32).collect(),
        token_type_ids: (0..rows).map(|_| random.below(config.type_vocab_size.max(1)) as u32).collect(),
        attention_mask: mask,
    }
}
