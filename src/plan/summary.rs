//! What a network weighs and what a plan costs, counted from the plan itself.

use std::collections::BTreeSet;

use super::{BufferId, Network, ParameterId, Plan, Step};
use crate::error::Result;
use crate::kernels::{Cost, ParameterShape, Shapes};

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
    /// Floating-point operations of all steps: two per multiply-add in matrix products; the rest doesn't count.
    pub fn flops(&self, network: &Network) -> u64 {
        self.steps.iter().map(|step| self.step_flops(network, step)).sum()
    }

    /// Floating-point operations of one step, counted as [`Plan::flops`] does.
    pub fn step_flops(&self, network: &Network, step: &Step) -> u64 {
        self.step_cost(network, step, &|_| 0).flops
    }

    /// Bytes that a step has to move at least once, as [`Cost::bytes`] counts them. `stored` tells the bytes of a whole
    /// parameter on its device.
    pub fn step_bytes(&self, network: &Network, step: &Step, stored: &dyn Fn(ParameterId) -> u64) -> u64 {
        self.step_cost(network, step, stored).bytes
    }

    /// A plan was checked when it was made, so that its costs are known; those of another network's steps are zero.
    fn step_cost(&self, network: &Network, step: &Step, stored: &dyn Fn(ParameterId) -> u64) -> Cost {
        self.with_shapes(network, step, |shapes| step.operation.operator().cost(shapes, stored))
            .unwrap_or_default()
    }

    /// The sizes that describe a step's work: those of the result, or `rows × in × out` of a matrix product.
    ///
    /// # Errors
    /// [`crate::error::Error::Internal`] for a step of another network.
    pub fn step_extent(&self, network: &Network, step: &Step) -> Result<Vec<usize>> {
        self.with_shapes(network, step, |shapes| step.operation.operator().extent(shapes))
    }

    /// Calls `use_them` with the sizes of a step's operands.
    pub(super) fn with_shapes<T>(
        &self,
        network: &Network,
        step: &Step,
        use_them: impl FnOnce(&Shapes<'_>) -> T,
    ) -> T {
        let buffer_len = |id: BufferId| self.buffers.get(id.0).map(|buffer| buffer.len);
        let parameter = |id: ParameterId| {
            let parameter = network.parameters.get(id.0)?;
            Some(ParameterShape { shape: &parameter.shape, in_bytes: false })
        };
        use_them(&Shapes {
            label: &step.label,
            batch: self.request.batch,
            sequence: self.request.sequence,
            output_len: buffer_len(step.output).unwrap_or(0),
            buffer_len: &buffer_len,
            parameter: &parameter,
        })
    }

    /// Bytes of activation memory while it runs.
    pub fn activation_bytes(&self) -> u64 {
        self.slots.iter().map(|len| 4 * *len as u64).sum()
    }
}
