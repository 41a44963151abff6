//! `config.json` → [`Config`], checked: every number is in range and every pair of sizes that must agree does.
//!
//! A field that is absent takes the value that `transformers` gives it for that `model_type`.

mod fields;
mod kinds;
mod read;

pub use kinds::{Activation, Bottleneck, Family, Head, Normalization, ProblemType};

use crate::error::{Error, Result};
use fields::Fields;

/// Name of the file in messages.
const FILE: &str = "config.json";

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
        let (family, head) = read::family_and_head(&fields)?;
        read::refuse_what_is_not_computed(&fields)?;
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
