//! The modules of a network, labeled with the checkpoint's names: their sizes and parameters, independent of the sequence
//! length.

use std::ops::Range;

use super::ParameterId;

/// `x · Wᵀ + b`.
#[derive(Clone, Debug)]
pub(super) struct Dense {
    pub label: String,
    pub weight: ParameterId,
    pub bias: ParameterId,
    /// Its rows in the weight and bias, which may be shared with other modules with the same input.
    pub outputs: Range<usize>,
    pub in_features: usize,
}

impl Dense {
    pub fn out_features(&self) -> usize {
        self.outputs.len()
    }
}

/// A LayerNorm. (A NoNorm is folded into the neighboring modules.)
#[derive(Clone, Debug)]
pub(super) struct Norm {
    pub label: String,
    pub weight: ParameterId,
    pub bias: ParameterId,
    pub features: usize,
    pub epsilon: f32,
}

/// `Norm(dense(x) + residual)`. A NoNorm is folded into the dense module, and its γ becomes the residual's scale.
#[derive(Clone, Debug)]
pub(super) struct Projection {
    pub dense: Dense,
    pub residual_scale: Option<ParameterId>,
    pub norm: Option<Norm>,
}

/// The embeddings: token ids to the first hidden state.
#[derive(Clone, Debug)]
pub(super) struct Embeddings {
    pub label: String,
    pub table: ParameterId,
    pub position: ParameterId,
    pub token_type: Option<ParameterId>,
    pub transformation: Option<Dense>,
    pub norm: Option<Norm>,
}

/// Input of the query and key, or of the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AttentionInput {
    /// The layer's input.
    Hidden,
    /// The first bottleneck.
    Bottleneck,
    /// The bottleneck that query and key share.
    SharedBottleneck,
}

/// An encoder layer.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub bottleneck: Option<Projection>,
    pub shared_bottleneck: Option<Projection>,
    pub query_key_input: AttentionInput,
    pub value_input: AttentionInput,
    /// `….attention.self`, or DistilBERT's `….attention`.
    pub attention: String,
    pub query: Dense,
    pub key: Dense,
    pub value: Dense,
    pub attention_output: Projection,
    pub feed_forward: Vec<FeedForward>,
    pub output_bottleneck: Option<Projection>,
}

/// `Norm(output(act(intermediate(x))) + x)`.
#[derive(Clone, Debug)]
pub(super) struct FeedForward {
    pub intermediate: Dense,
    pub output: Projection,
}

/// The first token's hidden state to one vector per sequence. Without a dense module, the two are the same.
#[derive(Clone, Debug)]
pub(super) struct Pooler {
    pub dense: Option<Dense>,
    pub activation: super::Activation,
}

/// `decoder(LayerNorm(act(dense(x))))`.
#[derive(Clone, Debug)]
pub(super) struct WordPredictions {
    pub dense: Dense,
    pub norm: Norm,
    pub decoder: Dense,
}

/// The task head.
#[derive(Clone, Debug)]
pub(super) enum HeadModules {
    QuestionAnswering(Dense),
    /// Sequence classification, next sentence prediction, multiple choice.
    Sequence(Pooler, Dense),
    TokenClassification(Dense),
    MaskedLanguageModel(WordPredictions),
    PreTraining(WordPredictions, Pooler, Dense),
    /// With the pooler if the checkpoint has one.
    Encoder(Option<Pooler>),
}

/// All modules of a network.
#[derive(Clone, Debug)]
pub(super) struct Modules {
    pub embeddings: Embeddings,
    pub layers: Vec<Layer>,
    pub head: HeadModules,
}
