//! The modules of a network: what each part reads, named as the checkpoint names it. Sizes and parameters, no length.

use super::ParameterId;

/// `x · Wᵀ + b`.
#[derive(Clone, Debug)]
pub(super) struct Dense {
    pub label: String,
    pub weight: ParameterId,
    pub bias: ParameterId,
    pub in_features: usize,
    pub out_features: usize,
}

/// A LayerNorm; a NoNorm is folded into its neighbours and leaves no module.
#[derive(Clone, Debug)]
pub(super) struct Norm {
    pub label: String,
    pub weight: ParameterId,
    pub bias: ParameterId,
    pub features: usize,
    pub epsilon: f32,
}

/// `Norm(dense(x) + residual)`. With NoNorm the dense is folded and the residual keeps γ as its scale.
#[derive(Clone, Debug)]
pub(super) struct Projection {
    pub dense: Dense,
    pub residual_scale: Option<ParameterId>,
    pub norm: Option<Norm>,
}

/// Ids → the first hidden state.
#[derive(Clone, Debug)]
pub(super) struct Embeddings {
    pub label: String,
    pub table: ParameterId,
    pub position: ParameterId,
    pub token_type: Option<ParameterId>,
    pub transformation: Option<Dense>,
    pub norm: Option<Norm>,
}

/// What query and key, or value, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    /// The layer's input.
    Hidden,
    /// The first bottleneck.
    Bottleneck,
    /// The bottleneck that query and key share.
    SharedBottleneck,
}

/// One layer.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub bottleneck: Option<Projection>,
    pub shared_bottleneck: Option<Projection>,
    pub query_key_read: Reads,
    pub value_reads: Reads,
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

/// First token → one vector a sequence. Without a dense the token's hidden state is the vector.
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

/// What stands on the encoder.
#[derive(Clone, Debug)]
pub(super) enum HeadModules {
    QuestionAnswering(Dense),
    /// Sequence classification, next sentence, multiple choice.
    Sequence(Pooler, Dense),
    TokenClassification(Dense),
    MaskedLanguageModel(WordPredictions),
    PreTraining(WordPredictions, Pooler, Dense),
    /// A pooler where the checkpoint has one.
    Encoder(Option<Pooler>),
}

/// All of them.
#[derive(Clone, Debug)]
pub(super) struct Modules {
    pub embeddings: Embeddings,
    pub layers: Vec<Layer>,
    pub head: HeadModules,
}
