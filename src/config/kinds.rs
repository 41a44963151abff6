//! What a configuration can choose between.

/// Which of the three naming schemes and default sets a checkpoint follows (`model_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `mobilebert`, IB-BERT included.
    MobileBert,
    /// `bert`: BERT, MiniLM, TinyBERT.
    Bert,
    /// `distilbert`: no token types, no pooler.
    DistilBert,
}

impl Family {
    /// `model_type` in `config.json`, and the prefix of the encoder's tensors in a model with a head.
    pub fn model_type(self) -> &'static str {
        match self {
            Family::MobileBert => "mobilebert",
            Family::Bert => "bert",
            Family::DistilBert => "distilbert",
        }
    }

    /// How names of architectures begin.
    pub(super) fn class_prefix(self) -> &'static str {
        match self {
            Family::MobileBert => "MobileBert",
            Family::Bert => "Bert",
            Family::DistilBert => "DistilBert",
        }
    }
}

/// What stands on the encoder, from `architectures`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Head {
    /// Start and end logits a token.
    QuestionAnswering,
    /// Logits a sequence, one a label.
    SequenceClassification,
    /// Logits a token, one a label.
    TokenClassification,
    /// Logits a token, one a word of the vocabulary.
    MaskedLanguageModel,
    /// Masked language model and next sentence together.
    PreTraining,
    /// Two logits a pair of sentences: continues, does not.
    NextSentence,
    /// One logit a choice; choices are sequences of a batch.
    MultipleChoice,
    /// None: hidden states and the pooled first token.
    Encoder,
}

impl Head {
    /// Every head with the ending of its class name in `transformers`.
    pub(super) const ENDINGS: [(&'static str, Head); 8] = [
        ("ForQuestionAnswering", Head::QuestionAnswering),
        ("ForSequenceClassification", Head::SequenceClassification),
        ("ForTokenClassification", Head::TokenClassification),
        ("ForMaskedLM", Head::MaskedLanguageModel),
        ("ForPreTraining", Head::PreTraining),
        ("ForNextSentencePrediction", Head::NextSentence),
        ("ForMultipleChoice", Head::MultipleChoice),
        ("Model", Head::Encoder),
    ];

    /// Ending of the class name in `transformers`, e.g. `ForQuestionAnswering`.
    pub fn class_ending(self) -> &'static str {
        Head::ENDINGS.iter().find(|(_, head)| *head == self).map_or("Model", |(ending, _)| ending)
    }
}

/// The element-wise functions of the family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Activation {
    /// `x`
    Identity = 0,
    /// `max(x, 0)`
    Relu = 1,
    /// `x/2 · (1 + erf(x/√2))`
    Gelu = 2,
    /// `x/2 · (1 + tanh(√(2/π)(x + 0.044715 x³)))`, `gelu_new` in configurations
    GeluTanh = 3,
    /// `tanh(x)`
    Tanh = 4,
    /// `x / (1 + e⁻ˣ)`, `silu` or `swish`
    Silu = 5,
}

impl Activation {
    /// By its name in `config.json`.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "linear" => Activation::Identity,
            "relu" => Activation::Relu,
            "gelu" | "gelu_python" => Activation::Gelu,
            "gelu_new" | "gelu_fast" | "gelu_accurate" | "gelu_pytorch_tanh" | "gelu_python_tanh" => {
                Activation::GeluTanh
            }
            "tanh" => Activation::Tanh,
            "silu" | "swish" => Activation::Silu,
            _ => return None,
        })
    }
}

/// `normalization_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normalization {
    /// `γ∘x + β`: folds into the linear before it.
    NoNorm,
    /// Over the last axis.
    LayerNorm,
}

/// How a classifier's logits are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemType {
    /// Logits are the values.
    Regression,
    /// One label of many: softmax.
    SingleLabel,
    /// Every label for itself: sigmoid.
    MultiLabel,
}

/// The linears between the wide hidden state and the narrow (in IB-BERT: wider) inside of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bottleneck {
    /// `intra_bottleneck_size`: width inside the layer.
    pub size: usize,
    /// `use_bottleneck_attention`: query, key and value read the bottlenecked input.
    pub attention: bool,
    /// `key_query_shared_bottleneck`: query and key read a second bottleneck.
    pub key_query_shared: bool,
}
