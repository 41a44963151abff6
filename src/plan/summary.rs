//! Parameter counts of a network and costs of a plan.

use std::collections::BTreeSet;

use super::{BufferId, Network, ParameterId, Plan, Step};
use crate::error::Result;
use crate::kernels::{Cost, ParameterShape, Shapes};

/// A part of a model, for parameter tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ModelPart {
    /// Word, position and type vectors with their transformation and norm.
    Embeddings,
    /// All layers.
    Layers,
    /// From the first token to one vector per sequence.
    Pooler,
    /// The layers on top of the encoder.
    Head,
}

impl ModelPart {
    /// All parts, from the bottom up.
    pub const ALL: [ModelPart; 4] =
        [ModelPart::Embeddings, ModelPart::Layers, ModelPart::Pooler, ModelPart::Head];

    /// The part that a tensor belongs to, by its name in the checkpoint.
    pub fn of(tensor: &str) -> ModelPart {
        if tensor.contains(".layer.") {
            ModelPart::Layers
        } else if tensor.contains("embeddings.") {
            ModelPart::Embeddings
        } else if tensor.contains("pooler.") {
            ModelPart::Pooler
        } else {
            ModelPart::Head
        }
    }
}

impl Network {
    /// The checkpoint's tensors that the network needs, each once, with their shapes.
    pub fn tensors(&self) -> BTreeSet<(&str, &[usize])> {
        let sources = self.parameters.iter().flat_map(|parameter| parameter.recipe.sources());
        // `collect` would sort, and instantiate the algorithm for this type.
        let mut tensors = BTreeSet::new();
        tensors.extend(sources.map(|source| (source.name(), source.shape.as_slice())));
        tensors
    }

    /// Number of trained values in a part; tied tensors count once.
    pub fn parameter_count(&self, part: ModelPart) -> u64 {
        let of_part = self.tensors().into_iter().filter(|(name, _)| ModelPart::of(name) == part);
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

    /// Minimum memory traffic of a step, as counted by [`Cost::bytes`]. `stored` returns the bytes of a whole
    /// parameter on its device.
    pub fn step_bytes(&self, network: &Network, step: &Step, stored: &dyn Fn(ParameterId) -> u64) -> u64 {
        self.step_cost(network, step, stored).bytes
    }

    /// The cost of a step; zero for a step of another network, because its operands don't exist here.
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
            Some(ParameterShape::of(&parameter.shape))
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

    /// Bytes of activation memory during a run.
    pub fn activation_bytes(&self) -> u64 {
        self.slots.iter().map(|len| 4 * *len as u64).sum()
    }
}
