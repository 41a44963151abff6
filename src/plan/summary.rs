//! What a network weighs and what a plan costs, counted from the plan itself.

use std::collections::BTreeSet;

use super::{BufferId, Network, Operation, ParameterId, Plan, Step};

/// A part of a model, for a table of parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Word, position and type vectors with their transformation and norm.
    Embeddings,
    /// All layers.
    Layers,
    /// From the first token to one vector a sequence.
    Pooler,
    /// What stands on the encoder.
    Head,
}

impl Part {
    /// Every part, from the bottom up.
    pub const ALL: [Part; 4] = [Part::Embeddings, Part::Layers, Part::Pooler, Part::Head];

    /// The part that a tensor belongs to, by its name in the checkpoint.
    pub fn of(tensor: &str) -> Part {
        if tensor.contains(".layer.") {
            Part::Layers
        } else if tensor.contains("embeddings.") {
            Part::Embeddings
        } else if tensor.contains("pooler.") {
            Part::Pooler
        } else {
            Part::Head
        }
    }
}

impl Network {
    /// The checkpoint's tensors that the network is made from, each once, with their shapes.
    pub fn tensors(&self) -> BTreeSet<(&str, &[usize])> {
        let sources = self.parameters.iter().flat_map(|parameter| parameter.recipe.sources());
        sources.map(|source| (source.name(), source.shape.as_slice())).collect()
    }

    /// Number of trained values in a part; tied tensors count once.
    pub fn parameter_count(&self, part: Part) -> u64 {
        let of_part = self.tensors().into_iter().filter(|(name, _)| Part::of(name) == part);
        of_part.map(|(_, shape)| shape.iter().product::<usize>() as u64).sum()
    }
}

impl Plan {
    /// Floating-point operations of all steps: two a multiply-add in matrix products; the rest does not count.
    pub fn flops(&self, network: &Network) -> u64 {
        self.steps.iter().map(|step| self.step_flops(network, step)).sum()
    }

    /// Floating-point operations of one step, counted as [`Plan::flops`] does.
    pub fn step_flops(&self, network: &Network, step: &Step) -> u64 {
        let pairs = self.request.batch * self.request.sequence * self.request.sequence;
        let multiply_adds = match &step.operation {
            Operation::Linear { rows, weight, .. } => {
                rows * network.parameter(*weight).shape.iter().product::<usize>()
            }
            Operation::AttentionProbabilities { heads, head_size, .. }
            | Operation::AttentionContext { heads, head_size, .. } => pairs * heads * head_size,
            Operation::Attention { heads, head_size, .. } => 2 * pairs * heads * head_size,
            Operation::Embedding { .. }
            | Operation::Position { .. }
            | Operation::Activate { .. }
            | Operation::Add { .. }
            | Operation::LayerNorm { .. } => 0,
        };
        2 * multiply_adds as u64
    }

    /// Bytes that a step must move at least once: activations read and written, inputs of the run, and parameters, of which
    /// a gathered table counts with the rows that are read. `stored` tells the bytes of a whole parameter on its device.
    pub fn step_bytes(&self, network: &Network, step: &Step, stored: &dyn Fn(ParameterId) -> u64) -> u64 {
        let rows = (self.request.batch * self.request.sequence) as u64;
        let buffer = |id: BufferId| 4 * self.buffers[id.0].len as u64;
        let gathered = |id: ParameterId, read: u64| {
            stored(id).saturating_mul(read) / network.parameter(id).shape.first().map_or(1, |&len| len as u64)
        };
        let ids = 4 * rows;
        let parameters = match &step.operation {
            Operation::Embedding { table, .. } => ids + gathered(*table, rows),
            Operation::Position { position, token_type, .. } => {
                let types = token_type.map_or(0, |table| ids + stored(table));
                types + gathered(*position, self.request.sequence as u64)
            }
            Operation::AttentionProbabilities { .. } | Operation::Attention { .. } => ids,
            other => other.parameters().into_iter().map(stored).sum(),
        };
        let read: u64 = match &step.operation {
            // The first token of each sequence only.
            Operation::Linear { rows, row_stride, weight, residual, .. } => {
                let in_features = network.parameter(*weight).shape[1];
                let input = 4 * (*rows * in_features.min(*row_stride)) as u64;
                input + residual.map_or(0, |residual| buffer(residual.buffer))
            }
            other => other.reads().into_iter().map(buffer).sum(),
        };
        read + parameters + buffer(step.output)
    }

    /// Bytes of activation memory while it runs.
    pub fn activation_bytes(&self) -> u64 {
        self.slots.iter().map(|len| 4 * *len as u64).sum()
    }
}
