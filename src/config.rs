//! `config.json` → [`Config`], checked: every number is in range and every pair of sizes that must agree does.
//!
//! A field that is absent takes the value that `transformers` gives it for that `model_type`.

mod fields;

use crate::error::{Error, Result};
use fields::Fields;

/// Name of the file in messages.
const FILE: &str = "config.json";

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
    fn class_prefix(self) -> &'static str {
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
    const ENDINGS: [(&'static str, Head); 8] = [
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
    fn from_name(name: &str) -> Option<Self> {
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

/// A checked configuration. Fields carry the names of `config.json` (MobileBERT's and BERT's where DistilBERT has its own).
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Naming scheme and defaults.
    pub family: Family,
    /// What stands on the encoder.
    pub head: Head,
    /// Rows of the word table.
    pub vocab_size: usize,
    /// Width of the hidden state between layers.
    pub hidden_size: usize,
    /// Width of a word vector; `hidden_size` in `bert` and `distilbert`.
    pub embedding_size: usize,
    /// Layers.
    pub num_hidden_layers: usize,
    /// Attention heads; divides [`Config::true_hidden_size`].
    pub num_attention_heads: usize,
    /// Width inside a feed-forward network.
    pub intermediate_size: usize,
    /// Feed-forward networks a layer.
    pub num_feedforward_networks: usize,
    /// Longest sequence.
    pub max_position_embeddings: usize,
    /// Token types; 0 in `distilbert`.
    pub type_vocab_size: usize,
    /// Whether the vectors of the next and the previous token stand beside a token's own.
    pub trigram_input: bool,
    /// Absent where a layer works at the width of the hidden state.
    pub bottleneck: Option<Bottleneck>,
    /// Norm inside the encoder.
    pub normalization: Normalization,
    /// Added to a LayerNorm's variance.
    pub layer_norm_eps: f32,
    /// Inside feed-forward networks and the masked-word head.
    pub hidden_act: Activation,
    /// Whether the pooler has a linear and tanh, or passes the first token on (MobileBERT only).
    pub classifier_activation: bool,
    /// Whether the masked-word head may take the word table for its decoder.
    pub tie_word_embeddings: bool,
    /// Names of the labels in order; `LABEL_0` … where the file has none.
    pub labels: Vec<String>,
    /// How a classifier's logits are meant, where the file says so.
    pub problem_type: Option<ProblemType>,
    /// Id of the padding token.
    pub pad_token_id: u32,
}

impl Config {
    /// Reads and checks the text of a `config.json`.
    pub fn from_json(json: impl AsRef<[u8]>) -> Result<Config> {
        let fields = Fields::parse(json.as_ref())?;
        let (family, head) = family_and_head(&fields)?;
        refuse_what_is_not_computed(&fields)?;
        let config = match family {
            Family::MobileBert => mobilebert(&fields, head)?,
            Family::Bert => bert(&fields, head)?,
            Family::DistilBert => distilbert(&fields, head)?,
        };
        config.check(&fields)?;
        Ok(config)
    }

    /// Width inside a layer: `intra_bottleneck_size`, or `hidden_size` without a bottleneck.
    pub fn true_hidden_size(&self) -> usize {
        self.bottleneck.map_or(self.hidden_size, |bottleneck| bottleneck.size)
    }

    /// Width of an attention head.
    pub fn head_size(&self) -> usize {
        self.true_hidden_size() / self.num_attention_heads
    }

    /// Outputs of a classifier.
    pub fn num_labels(&self) -> usize {
        self.labels.len()
    }

    /// `transformers`' class name, e.g. `MobileBertForQuestionAnswering`.
    pub fn architecture(&self) -> String {
        format!("{}{}", self.family.class_prefix(), self.head.class_ending())
    }

    fn check(&self, fields: &Fields) -> Result<()> {
        let width = self.true_hidden_size();
        if let Some(stated) = fields.optional_size("true_hidden_size")?.filter(|stated| *stated != width) {
            let (field, value) = match self.bottleneck {
                Some(_) => ("intra_bottleneck_size", width),
                None => ("hidden_size", width),
            };
            return Err(Error::config(
                "true_hidden_size",
                format!("is {stated}, but `{field}` makes it {value}; correct one of the two"),
            ));
        }
        if !width.is_multiple_of(self.num_attention_heads) {
            return Err(Error::config(
                fields.present(&["num_attention_heads", "n_heads"]),
                format!(
                    "{} heads do not divide the {width} features that attention works on",
                    self.num_attention_heads
                ),
            ));
        }
        if self.num_hidden_layers * self.num_feedforward_networks > 100_000 {
            return Err(Error::config(
                "num_feedforward_networks",
                format!(
                    "{} in each of {} layers: at most 100000 in all",
                    self.num_feedforward_networks, self.num_hidden_layers
                ),
            ));
        }
        let masked_words = matches!(self.head, Head::MaskedLanguageModel | Head::PreTraining);
        if masked_words && self.embedding_size > self.hidden_size {
            return Err(Error::config(
                "embedding_size",
                format!(
                    "is {}, more than `hidden_size` {}: the tied decoder of masked words has no room for it",
                    self.embedding_size, self.hidden_size
                ),
            ));
        }
        if self.head == Head::QuestionAnswering && self.num_labels() != 2 {
            return Err(Error::config(
                "id2label",
                format!("{} labels, but question answering has exactly 2 (start and end)", self.num_labels()),
            ));
        }
        if self.pad_token_id as usize >= self.vocab_size {
            return Err(Error::config(
                "pad_token_id",
                format!("is {}, outside of `vocab_size` {}", self.pad_token_id, self.vocab_size),
            ));
        }
        Ok(())
    }
}

/// `model_type` and `architectures`, which must not contradict each other.
fn family_and_head(fields: &Fields) -> Result<(Family, Head)> {
    const FAMILIES: [Family; 3] = [Family::MobileBert, Family::DistilBert, Family::Bert];
    let architecture = fields.first_architecture()?;
    let of_class = |class: &str| FAMILIES.into_iter().find(|family| class.starts_with(family.class_prefix()));
    let family = match (fields.text("model_type")?, &architecture) {
        (Some(model_type), _) => {
            FAMILIES.into_iter().find(|family| family.model_type() == model_type).ok_or_else(|| {
                Error::unsupported(
                    format!("{FILE}: `model_type` {model_type:?}"),
                    "mobilebert, bert and distilbert are",
                )
            })?
        }
        (None, Some(class)) if of_class(class).is_some() => of_class(class).unwrap_or(Family::Bert),
        (None, _) => {
            return Err(Error::config(
                "model_type",
                "is missing; write \"mobilebert\", \"bert\" or \"distilbert\"",
            ));
        }
    };
    let Some(class) = architecture else { return Ok((family, Head::Encoder)) };
    let unknown = || {
        Error::unsupported(
            format!("{FILE}: `architectures` {class:?} of `model_type` {:?}", family.model_type()),
            format!(
                "the classes of transformers named {}* are: Model, ForQuestionAnswering, ForSequenceClassification, ForTokenClassification, ForMaskedLM, ForPreTraining, ForNextSentencePrediction, ForMultipleChoice",
                family.class_prefix()
            ),
        )
    };
    let ending = class.strip_prefix(family.class_prefix()).ok_or_else(unknown)?;
    let head = Head::ENDINGS.into_iter().find(|(name, _)| *name == ending).map(|(_, head)| head);
    let head = head.ok_or_else(unknown)?;
    if family == Family::DistilBert && matches!(head, Head::PreTraining | Head::NextSentence) {
        return Err(unknown());
    }
    Ok((family, head))
}

/// Switches that change what is computed, in a way that this crate does not.
fn refuse_what_is_not_computed(fields: &Fields) -> Result<()> {
    if let Some(kind) = fields.text("position_embedding_type")?.filter(|kind| kind != "absolute") {
        return Err(Error::unsupported(
            format!("{FILE}: `position_embedding_type` {kind:?}"),
            "only \"absolute\" is",
        ));
    }
    for field in ["is_decoder", "add_cross_attention", "is_encoder_decoder"] {
        if fields.flag(field, false)? {
            return Err(Error::unsupported(format!("{FILE}: `{field}` true"), "only encoders are"));
        }
    }
    if fields.has_entries("pruned_heads") {
        return Err(Error::unsupported(
            format!("{FILE}: `pruned_heads`"),
            "load the model in transformers and save it with all heads",
        ));
    }
    if fields.has_entries("quantization_config") {
        return Err(Error::unsupported(
            format!("{FILE}: `quantization_config`"),
            "take the unquantised checkpoint and use `mobilebert quantize`",
        ));
    }
    Ok(())
}

fn mobilebert(fields: &Fields, head: Head) -> Result<Config> {
    let normalization = match fields.text("normalization_type")?.as_deref() {
        None | Some("no_norm") => Normalization::NoNorm,
        Some("layer_norm") => Normalization::LayerNorm,
        Some(other) => {
            return Err(Error::unsupported(
                format!("{FILE}: `normalization_type` {other:?}"),
                "\"no_norm\" and \"layer_norm\" are",
            ));
        }
    };
    let bottleneck = if fields.flag("use_bottleneck", true)? {
        Some(Bottleneck {
            size: fields.size("intra_bottleneck_size", 128)?,
            attention: fields.flag("use_bottleneck_attention", false)?,
            key_query_shared: fields.flag("key_query_shared_bottleneck", true)?,
        })
    } else {
        None
    };
    Ok(Config {
        family: Family::MobileBert,
        head,
        vocab_size: fields.size("vocab_size", 30522)?,
        hidden_size: fields.size("hidden_size", 512)?,
        embedding_size: fields.size("embedding_size", 128)?,
        num_hidden_layers: fields.count("num_hidden_layers", 24)?,
        num_attention_heads: fields.size("num_attention_heads", 4)?,
        intermediate_size: fields.size("intermediate_size", 512)?,
        num_feedforward_networks: fields.count("num_feedforward_networks", 4)?,
        max_position_embeddings: fields.size("max_position_embeddings", 512)?,
        type_vocab_size: fields.size("type_vocab_size", 2)?,
        trigram_input: fields.flag("trigram_input", true)?,
        bottleneck,
        normalization,
        layer_norm_eps: fields.epsilon("layer_norm_eps", 1e-12)?,
        hidden_act: fields.activation("hidden_act", "relu")?,
        classifier_activation: fields.flag("classifier_activation", true)?,
        tie_word_embeddings: fields.flag("tie_word_embeddings", true)?,
        labels: fields.labels()?,
        problem_type: fields.problem_type()?,
        pad_token_id: fields.token_id("pad_token_id")?,
    })
}

fn bert(fields: &Fields, head: Head) -> Result<Config> {
    let hidden_size = fields.size("hidden_size", 768)?;
    Ok(Config {
        family: Family::Bert,
        head,
        vocab_size: fields.size("vocab_size", 30522)?,
        hidden_size,
        embedding_size: hidden_size,
        num_hidden_layers: fields.count("num_hidden_layers", 12)?,
        num_attention_heads: fields.size("num_attention_heads", 12)?,
        intermediate_size: fields.size("intermediate_size", 3072)?,
        num_feedforward_networks: 1,
        max_position_embeddings: fields.size("max_position_embeddings", 512)?,
        type_vocab_size: fields.size("type_vocab_size", 2)?,
        trigram_input: false,
        bottleneck: None,
        normalization: Normalization::LayerNorm,
        layer_norm_eps: fields.epsilon("layer_norm_eps", 1e-12)?,
        hidden_act: fields.activation("hidden_act", "gelu")?,
        classifier_activation: true,
        tie_word_embeddings: fields.flag("tie_word_embeddings", true)?,
        labels: fields.labels()?,
        problem_type: fields.problem_type()?,
        pad_token_id: fields.token_id("pad_token_id")?,
    })
}

fn distilbert(fields: &Fields, head: Head) -> Result<Config> {
    let hidden_size = fields.size(fields.present(&["dim", "hidden_size"]), 768)?;
    Ok(Config {
        family: Family::DistilBert,
        head,
        vocab_size: fields.size("vocab_size", 30522)?,
        hidden_size,
        embedding_size: hidden_size,
        num_hidden_layers: fields.count(fields.present(&["n_layers", "num_hidden_layers"]), 6)?,
        num_attention_heads: fields.size(fields.present(&["n_heads", "num_attention_heads"]), 12)?,
        intermediate_size: fields.size("hidden_dim", 3072)?,
        num_feedforward_networks: 1,
        max_position_embeddings: fields.size("max_position_embeddings", 512)?,
        type_vocab_size: 0,
        trigram_input: false,
        bottleneck: None,
        normalization: Normalization::LayerNorm,
        // transformers writes it into the modules, whatever the file says.
        layer_norm_eps: 1e-12,
        hidden_act: fields.activation("activation", "gelu")?,
        classifier_activation: true,
        tie_word_embeddings: fields.flag("tie_word_embeddings", true)?,
        labels: fields.labels()?,
        problem_type: fields.problem_type()?,
        pad_token_id: fields.token_id("pad_token_id")?,
    })
}
