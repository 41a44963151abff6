//! `config.json` → [`Config`], checked: all numbers are in range, and sizes that must agree do.
//!
//! An absent field has the default value of that `model_type` in `transformers`.

mod fields;
mod kinds;
mod read;

pub use kinds::{Activation, Bottleneck, Family, Head, Normalization, ProblemType, ScoreActivation};

use crate::error::{Error, Result};
use fields::Fields;

/// Name of the file in messages.
const FILE: &str = "config.json";

/// A checked configuration. Fields are named as in `config.json`; DistilBERT's own names are mapped to BERT's.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The model family.
    pub family: Family,
    /// The head on top of the encoder.
    pub head: Head,
    /// Rows of the word embedding table.
    pub vocab_size: usize,
    /// Width of the hidden state between layers.
    pub hidden_size: usize,
    /// Width of a word embedding; `hidden_size` in `bert` and `distilbert`.
    pub embedding_size: usize,
    /// Number of layers.
    pub num_hidden_layers: usize,
    /// Number of attention heads; divides [`Config::true_hidden_size`].
    pub num_attention_heads: usize,
    /// Inner width of a feed-forward network.
    pub intermediate_size: usize,
    /// Number of feed-forward networks per layer.
    pub num_feedforward_networks: usize,
    /// Maximum sequence length.
    pub max_position_embeddings: usize,
    /// Number of token types; 0 in `distilbert`.
    pub type_vocab_size: usize,
    /// Whether a token's embedding is concatenated with those of the next and the previous token.
    pub trigram_input: bool,
    /// Absent if layers work at the width of the hidden state.
    pub bottleneck: Option<Bottleneck>,
    /// Normalization inside the encoder.
    pub normalization: Normalization,
    /// Added to a LayerNorm's variance.
    pub layer_norm_eps: f32,
    /// Activation of feed-forward networks and the masked-language-model head.
    pub hidden_act: Activation,
    /// Whether the pooler is a linear with tanh or just the first token (MobileBERT only).
    pub classifier_activation: bool,
    /// Whether the masked-language-model head may use the word embeddings as its decoder.
    pub tie_word_embeddings: bool,
    /// Label names in order; `LABEL_0` … if the file has none, also in gaps of `id2label`.
    pub labels: Vec<String>,
    /// Number of entries of `id2label`, fewer than labels if its keys have gaps.
    listed_labels: Option<usize>,
    /// How to interpret a classifier's logits, if the file says so.
    pub problem_type: Option<ProblemType>,
    /// Whether `architectures` names the head; the tensors decide otherwise.
    states_head: bool,
    /// Name of the activation of a single score, from `sentence_transformers`.
    activation_fn: Option<String>,
    /// Token id of padding.
    pub pad_token_id: u32,
}

impl Config {
    /// Parses and checks the content of a `config.json`.
    pub fn from_json(json: impl AsRef<[u8]>) -> Result<Config> {
        let fields = Fields::parse(json.as_ref())?;
        let (family, head) = read::family_and_head(&fields)?;
        read::refuse_unsupported(&fields)?;
        let config = match family {
            Family::MobileBert => read::mobilebert(&fields, head)?,
            Family::Bert => read::bert(&fields, head)?,
            Family::DistilBert => read::distilbert(&fields, head)?,
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

    /// Number of a classifier's outputs.
    pub fn num_labels(&self) -> usize {
        self.labels.len()
    }

    /// The activation of a classifier's single output: the one that `sentence_transformers` has saved, else none for a
    /// regression and the sigmoid for anything else.
    ///
    /// # Errors
    /// [`Error::Unsupported`] with the name of an unknown activation.
    pub fn score_activation(&self) -> Result<ScoreActivation> {
        match &self.activation_fn {
            Some(name) => ScoreActivation::from_name(name).ok_or_else(|| {
                Error::unsupported(
                    format!("{FILE}: `activation_fn` {name:?}"),
                    "torch.nn's Sigmoid, Identity and Tanh are",
                )
            }),
            None if self.problem_type == Some(ProblemType::Regression) => Ok(ScoreActivation::Identity),
            None => Ok(ScoreActivation::Sigmoid),
        }
    }

    /// Chooses the head by the tensors of the checkpoint if `architectures` doesn't name one.
    pub fn fit_head(&mut self, has: &dyn Fn(&str) -> bool) {
        if !std::mem::replace(&mut self.states_head, true) {
            self.head = Head::of_tensors(has);
        }
    }

    /// Keeps only the encoder.
    pub(crate) fn drop_head(&mut self) {
        self.head = Head::Encoder;
        self.states_head = true;
    }

    /// Sets the activation of a classifier's single output by its name, if `config.json` has none.
    pub(crate) fn default_activation(&mut self, name: Option<String>) {
        self.activation_fn = self.activation_fn.take().or(name);
    }

    /// Drops the last labels if `id2label` has gaps and a classifier has only as many outputs as there are entries, which is
    /// how `transformers` counts them.
    pub(crate) fn fit_labels(&mut self, outputs: usize) {
        if self.listed_labels == Some(outputs) {
            self.labels.truncate(outputs);
        }
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
                format!("is {stated}, but `{field}` implies {value}; correct one of the two"),
            ));
        }
        if !width.is_multiple_of(self.num_attention_heads) {
            return Err(Error::config(
                fields.present(&["num_attention_heads", "n_heads"]),
                format!("{} heads don't divide the {width} features of attention", self.num_attention_heads),
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
                    "is {}, more than `hidden_size` {}: the tied decoder of the masked-language-model head would need negative width",
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
