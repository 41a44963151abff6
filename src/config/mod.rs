//! `config.json` → [`Config`], checked: all numbers are in range, and sizes that must agree do.
//!
//! An absent field takes the default of its `model_type` in `transformers`.

mod calibration;
mod fields;
mod kinds;
mod read;
mod span_costs;

pub use calibration::Calibration;
pub use kinds::{Bottleneck, Family, Head, Normalization, ProblemType, ScoreActivation};
pub use mobilebert_compute::Activation;
pub use span_costs::SpanCosts;

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
    /// True if a token's embedding is concatenated with those of the next and the previous token.
    pub trigram_input: bool,
    /// `None` if layers work at the width of the hidden state.
    pub bottleneck: Option<Bottleneck>,
    /// Normalization inside the encoder.
    pub normalization: Normalization,
    /// Added to a LayerNorm's variance.
    pub layer_norm_eps: f32,
    /// Activation of feed-forward networks and the masked-language-model head.
    pub hidden_act: Activation,
    /// True if the pooler is a linear with tanh, false if it is just the first token (MobileBERT only).
    pub classifier_activation: bool,
    /// True if the masked-language-model head may use the word embeddings as its decoder.
    pub tie_word_embeddings: bool,
    /// Label names in order; `LABEL_0` … if the file has none, and for gaps in `id2label`.
    pub labels: Vec<String>,
    /// Number of entries of `id2label`, fewer than labels if its keys have gaps.
    listed_labels: Option<usize>,
    /// The interpretation of a classifier's logits, if the file specifies it.
    pub problem_type: Option<ProblemType>,
    /// The head named by `architectures`; `None` if it names none, or an unknown one.
    stated_head: Option<Head>,
    /// The head that the caller's task needs.
    wanted_head: Option<Head>,
    /// Name of the activation of a single score, from `sentence_transformers`.
    activation_fn: Option<String>,
    /// Token id of padding.
    pub pad_token_id: u32,
    /// Temperature and thresholds that turn scores into decisions.
    pub calibration: Calibration,
    /// The costs of an answer's length.
    pub span_costs: SpanCosts,
}

impl Config {
    /// Parses and checks the content of a `config.json`.
    pub fn from_json(json: impl AsRef<[u8]>) -> Result<Config> {
        Self::for_task(json, None)
    }

    /// Like [`Config::from_json`], for a task that needs the head `wanted`: the checkpoint may have its
    /// tensors even if `architectures` names another class, known or not; see [`Config::fit_head`].
    pub fn for_task(json: impl AsRef<[u8]>, wanted: Option<Head>) -> Result<Config> {
        let fields = Fields::parse(json.as_ref())?;
        let family = read::family(&fields)?;
        let stated = match read::head(&fields, family) {
            Err(Error::Unsupported { .. }) if wanted.is_some() => None,
            stated => stated?,
        };
        let head = stated.unwrap_or(Head::Encoder);
        read::refuse_unsupported(&fields)?;
        let config = match family {
            Family::MobileBert => read::mobilebert(&fields, head)?,
            Family::Bert => read::bert(&fields, head)?,
            Family::DistilBert => read::distilbert(&fields, head)?,
        };
        let head = if wanted == Some(Head::Encoder) { Head::Encoder } else { head };
        let config = Config { head, stated_head: stated, wanted_head: wanted, ..config };
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

    /// The activation of a classifier's single output: the one saved by `sentence_transformers`, otherwise
    /// the identity for regression and the sigmoid for anything else.
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

    /// Chooses the head by the checkpoint's tensors: the one that the task needs if the checkpoint has it,
    /// otherwise the one named by `architectures`, otherwise the one that the checkpoint has. Whether a
    /// `classifier` classifies sequences or tokens is decided by `architectures`.
    ///
    /// # Errors
    /// [`Error::Config`] if a size contradicts the head.
    pub fn fit_head(&mut self, has: &dyn Fn(&str) -> bool) -> Result<()> {
        let stated = self.stated_head;
        self.head = match self.wanted_head {
            Some(wanted) if wanted.is_in(has) && !stated.is_some_and(|stated| stated.conflicts(wanted)) => {
                // A pre-training model has the masked-word head, and one more.
                match stated {
                    Some(Head::PreTraining) if wanted == Head::MaskedLanguageModel => Head::PreTraining,
                    _ => wanted,
                }
            }
            _ => stated.unwrap_or_else(|| Head::of_tensors(has)),
        };
        self.check_head()
    }

    /// Sets the activation of a classifier's single output by its name, if `config.json` has none.
    pub(crate) fn default_activation(&mut self, name: Option<String>) {
        self.activation_fn = self.activation_fn.take().or(name);
    }

    /// Returns whether [`Config::fit_labels`] may drop labels.
    pub(crate) fn may_have_fewer_labels(&self) -> bool {
        self.listed_labels.is_some_and(|listed| listed < self.labels.len())
    }

    /// Drops the last labels if `id2label` has gaps and the classifier has only as many outputs as `id2label`
    /// has entries, which is how `transformers` counts them.
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
        self.check_head()?;
        if self.pad_token_id as usize >= self.vocab_size {
            return Err(Error::config(
                "pad_token_id",
                format!("is {}, outside of `vocab_size` {}", self.pad_token_id, self.vocab_size),
            ));
        }
        Ok(())
    }

    /// Checks that depend on the head.
    fn check_head(&self) -> Result<()> {
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
        Ok(())
    }
}
