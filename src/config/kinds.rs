//! The enumerations of a configuration.

use super::Activation;

/// The model family (`model_type`), which determines tensor names and default values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `mobilebert`, including IB-BERT.
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

    /// Prefix of the class names in `transformers`.
    pub(super) fn class_prefix(self) -> &'static str {
        match self {
            Family::MobileBert => "MobileBert",
            Family::Bert => "Bert",
            Family::DistilBert => "DistilBert",
        }
    }
}

/// The head on top of the encoder, from `architectures`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Head {
    /// A start and an end logit per token.
    QuestionAnswering,
    /// One logit per label, for each sequence.
    SequenceClassification,
    /// One logit per label, for each token.
    TokenClassification,
    /// One logit per vocabulary entry, for each token.
    MaskedLanguageModel,
    /// Masked language model and next-sentence prediction together.
    PreTraining,
    /// Two logits per pair of sentences: the second follows the first, or doesn't.
    NextSentence,
    /// One logit per choice; the choices are the sequences of a batch.
    MultipleChoice,
    /// No head: hidden states and the pooled first token.
    Encoder,
}

impl Head {
    /// Every head with the suffix of its class name in `transformers`.
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

    /// Tensors that only this head has; the classifying heads share theirs.
    fn tensors(self) -> &'static [&'static str] {
        match self {
            Head::QuestionAnswering => &["qa_outputs.weight"],
            Head::SequenceClassification | Head::TokenClassification | Head::MultipleChoice => {
                &["classifier.weight"]
            }
            // BERT's and MobileBERT's, and DistilBERT's.
            Head::MaskedLanguageModel | Head::PreTraining => {
                &["cls.predictions.transform.dense.weight", "vocab_transform.weight"]
            }
            Head::NextSentence => &["cls.seq_relationship.weight"],
            Head::Encoder => &[],
        }
    }

    /// Returns whether a checkpoint has this head; every checkpoint has an encoder.
    pub(super) fn is_in(self, has: &dyn Fn(&str) -> bool) -> bool {
        self == Head::Encoder || self.tensors().iter().any(|tensor| has(tensor))
    }

    /// Returns whether both heads would interpret the same tensors differently.
    pub(super) fn conflicts(self, other: Head) -> bool {
        self != other && self.tensors() == ["classifier.weight"] && other.tensors() == self.tensors()
    }

    /// The head whose tensors a checkpoint has. A `classifier` is taken to classify sequences.
    pub(super) fn of_tensors(has: &dyn Fn(&str) -> bool) -> Head {
        let heads = [
            Head::QuestionAnswering,
            Head::SequenceClassification,
            Head::MaskedLanguageModel,
            Head::NextSentence,
        ];
        heads.into_iter().find(|head| head.is_in(has)).unwrap_or(Head::Encoder)
    }

    /// Suffix of the class name in `transformers`, e.g. `ForQuestionAnswering`.
    pub fn class_ending(self) -> &'static str {
        Head::ENDINGS.iter().find(|(_, head)| *head == self).map_or("Model", |(ending, _)| ending)
    }
}

/// The activation named in `config.json`.
pub(super) fn activation_of(name: &str) -> Option<Activation> {
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

/// `normalization_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normalization {
    /// `γ∘x + β`, which folds into the preceding linear.
    NoNorm,
    /// Layer normalization over the last axis.
    LayerNorm,
}

/// The interpretation of a classifier's logits (`problem_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemType {
    /// The logits are the values.
    Regression,
    /// Exactly one label applies: softmax.
    SingleLabel,
    /// Labels are independent: sigmoid.
    MultiLabel,
}

/// The activation of a classifier's single output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScoreActivation {
    /// `1 / (1 + e⁻ˣ)`
    Sigmoid,
    /// `x`
    Identity,
    /// `tanh(x)`
    Tanh,
}

impl ScoreActivation {
    /// Parses the path of a `torch.nn` class, such as `torch.nn.modules.activation.Sigmoid`.
    pub(super) fn from_name(path: &str) -> Option<Self> {
        let class = path.strip_prefix("torch.nn.")?.rsplit('.').next()?;
        Some(match class {
            "Sigmoid" => ScoreActivation::Sigmoid,
            "Identity" => ScoreActivation::Identity,
            "Tanh" => ScoreActivation::Tanh,
            _ => return None,
        })
    }
}

/// The linears between the wide hidden state and a layer's narrower (in IB-BERT: wider) interior.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bottleneck {
    /// `intra_bottleneck_size`: width inside the layer.
    pub size: usize,
    /// `use_bottleneck_attention`: query, key and value read the bottlenecked input.
    pub attention: bool,
    /// `key_query_shared_bottleneck`: query and key read a second bottleneck.
    pub key_query_shared: bool,
}
