//! The steps of a plan: one variant a kernel, over buffers and parameters.
//!
//! Activations are row-major f32 `[rows, features]` with `rows = batch · sequence`. Inputs of a run (`input_ids`,
//! `token_type_ids`, `attention_mask`, each u32 `[batch, sequence]`) are read implicitly by the steps that need them.

use super::ParameterId;
pub use crate::config::Activation;

/// Index into [`super::Plan::buffers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BufferId(pub usize);

/// One kernel launch. Labels are unique within a plan and start with the checkpoint's name of the module.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Unique label, e.g. `mobilebert.encoder.layer.3.attention.self.query`.
    pub label: String,
    /// What is computed.
    pub operation: Operation,
    /// Where the result goes: never one of the operands.
    pub output: BufferId,
}

/// What a step computes; each variant is the kernel of the same name.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Word vectors by `input_ids`: `[rows, E]`, or with `trigram` `[x_{t+1}, x_t, x_{t−1}]`: `[rows, 3E]`.
    /// Ids that are `u32::MAX` stand past the end of a text: a zero vector.
    Embedding {
        /// Word vectors `[vocab_size, E]`.
        table: ParameterId,
        /// Whether the neighbours' vectors are concatenated.
        trigram: bool,
    },
    /// `input + position[t] + token_type[type_id]` over `[rows, H]`; without `input`, the sum of the last two.
    Position {
        /// What is added to.
        input: Option<BufferId>,
        /// Position vectors `[max_position_embeddings, H]`.
        position: ParameterId,
        /// Type vectors `[type_vocab_size, H]`; absent for DistilBERT.
        token_type: Option<ParameterId>,
    },
    /// `activation(input · weightᵀ + bias) + scale ∘ residual`.
    Linear {
        /// `[rows, in_features]`, its rows `row_stride` floats apart.
        input: BufferId,
        /// How many rows are computed.
        rows: usize,
        /// Distance of the input's rows in floats: `in_features`, or `sequence · in_features` to read first tokens only.
        row_stride: usize,
        /// `[out_features, in_features]`.
        weight: ParameterId,
        /// `[out_features]`.
        bias: ParameterId,
        /// Applied before the residual is added.
        activation: Activation,
        /// `[rows, out_features]`, added after the activation.
        residual: Option<Residual>,
    },
    /// `activation(input)`, element-wise.
    Activate {
        /// Any shape.
        input: BufferId,
        /// The function.
        activation: Activation,
    },
    /// `input + scale ∘ residual`.
    Add {
        /// `[rows, features]`.
        input: BufferId,
        /// `[rows, features]`.
        residual: Residual,
        /// Length of a row.
        features: usize,
    },
    /// `(x − mean) / √(variance + epsilon) ∘ weight + bias` over rows of `features`.
    LayerNorm {
        /// `[rows, features]`.
        input: BufferId,
        /// `[features]`.
        weight: ParameterId,
        /// `[features]`.
        bias: ParameterId,
        /// Length of a row.
        features: usize,
        /// Added to the (biased) variance.
        epsilon: f32,
    },
    /// `softmax(q kᵀ + mask)`: `[batch, heads, sequence, sequence]`. The query is already scaled.
    AttentionProbabilities {
        /// `[rows, heads · head_size]`.
        query: BufferId,
        /// `[rows, heads · head_size]`.
        key: BufferId,
        /// Number of heads.
        heads: usize,
        /// Width of a head.
        head_size: usize,
    },
    /// `probabilities · v`: `[rows, heads · head_size]`.
    AttentionContext {
        /// `[batch, heads, sequence, sequence]`.
        probabilities: BufferId,
        /// `[rows, heads · head_size]`.
        value: BufferId,
        /// Number of heads.
        heads: usize,
        /// Width of a head.
        head_size: usize,
    },
    /// The two above in one kernel, without the probabilities in memory.
    Attention {
        /// `[rows, heads · head_size]`; already scaled by 1/√head_size.
        query: BufferId,
        /// `[rows, heads · head_size]`.
        key: BufferId,
        /// `[rows, heads · head_size]`.
        value: BufferId,
        /// Number of heads.
        heads: usize,
        /// Width of a head.
        head_size: usize,
    },
}

/// A second operand that is added, its columns scaled by what NoNorm's folding left over (γ).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Residual {
    /// `[rows, features]`.
    pub buffer: BufferId,
    /// `[features]`; 1 where absent.
    pub scale: Option<ParameterId>,
}

impl Operation {
    /// The activation buffers it reads, in the order of the kernel's bindings.
    pub fn reads(&self) -> Vec<BufferId> {
        self.clone().reads_mut().into_iter().map(|buffer| *buffer).collect()
    }

    pub(super) fn reads_mut(&mut self) -> Vec<&mut BufferId> {
        match self {
            Operation::Embedding { .. } => Vec::new(),
            Operation::Position { input, .. } => input.iter_mut().collect(),
            Operation::Linear { input, residual, .. } => std::iter::once(input)
                .chain(residual.iter_mut().map(|residual| &mut residual.buffer))
                .collect(),
            Operation::Activate { input, .. } | Operation::LayerNorm { input, .. } => vec![input],
            Operation::Add { input, residual, .. } => vec![input, &mut residual.buffer],
            Operation::AttentionProbabilities { query, key, .. } => vec![query, key],
            Operation::AttentionContext { probabilities, value, .. } => vec![probabilities, value],
            Operation::Attention { query, key, value, .. } => vec![query, key, value],
        }
    }

    /// The parameters it reads, in the order of the kernel's bindings.
    pub fn parameters(&self) -> Vec<ParameterId> {
        match self {
            Operation::Embedding { table, .. } => vec![*table],
            Operation::Position { position, token_type, .. } => {
                std::iter::once(*position).chain(*token_type).collect()
            }
            Operation::Linear { weight, bias, residual, .. } => {
                [*weight, *bias].into_iter().chain(residual.and_then(|residual| residual.scale)).collect()
            }
            Operation::Add { residual, .. } => residual.scale.into_iter().collect(),
            Operation::LayerNorm { weight, bias, .. } => vec![*weight, *bias],
            Operation::Activate { .. }
            | Operation::AttentionProbabilities { .. }
            | Operation::AttentionContext { .. }
            | Operation::Attention { .. } => Vec::new(),
        }
    }

    /// Name of the kernel that computes it.
    pub fn kernel(&self) -> &'static str {
        match self {
            Operation::Embedding { .. } => "embedding",
            Operation::Position { .. } => "position",
            Operation::Linear { .. } => "linear",
            Operation::Activate { .. } => "activate",
            Operation::Add { .. } => "add",
            Operation::LayerNorm { .. } => "layer_norm",
            Operation::AttentionProbabilities { .. } => "attention_probabilities",
            Operation::AttentionContext { .. } => "attention_context",
            Operation::Attention { .. } => "attention",
        }
    }
}
