//! Logits of a token-classification head → labeled entities of the source.
//!
//! [`Entities`] groups tokens into entities exactly like the `transformers` pipeline, for each
//! [`Aggregation`] and for labels without prefixes or with BIO prefixes. It also understands BIOES and BILOU
//! prefixes, which Python's pipeline treats as part of the names.

mod entities;
mod redact;
mod scheme;

pub use entities::Entities;
pub use redact::redact;
use serde::{Deserialize, Serialize};

use super::ranking::{check_finite, largest, softmax};
use crate::error::{Error, Result};
use crate::text::Piece;

/// How tokens are grouped into entities, like `aggregation_strategy` in `transformers`.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Aggregation {
    /// Every token is an entity.
    None,
    /// Adjacent tokens with the same label are joined; words can be split.
    #[default]
    Simple,
    /// A word gets the label of its first token; adjacent words are joined.
    First,
    /// A word gets the label with the highest mean probability over its tokens; adjacent words are joined.
    Average,
    /// A word gets the label of its most certain token; adjacent words are joined.
    Max,
}

/// Options of [`Entities`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityOptions {
    /// How tokens are grouped into entities.
    pub aggregation: Aggregation,
    /// Labels to omit, with or without prefix: `I-LOC` omits tokens, `LOC` entities.
    pub ignore_labels: Vec<String>,
}

impl Default for EntityOptions {
    fn default() -> Self {
        EntityOptions { aggregation: Aggregation::default(), ignore_labels: vec!["O".into()] }
    }
}

/// A token with its most probable label.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LabeledToken {
    /// Index of the label.
    pub label_id: usize,
    /// Its name in `config.json`'s `id2label`.
    pub label: String,
    /// Probability of the label.
    pub probability: f64,
    /// Index of the token's piece in the text.
    pub index: usize,
    /// Token id.
    pub token: u32,
    /// First byte in UTF-8.
    pub start_byte: usize,
    /// One past the last byte in UTF-8.
    pub end_byte: usize,
}

/// A labeled part of a text: `text[start_byte..end_byte] == entity.text`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entity {
    /// The label; for joined tokens, without its prefix.
    pub label: String,
    /// The text of the entity, from the source.
    pub text: String,
    /// Probability of the label; the mean over the joined tokens or words.
    pub probability: f64,
    /// First unit in UTF-16.
    pub start_utf16: usize,
    /// One past the last unit in UTF-16.
    pub end_utf16: usize,
    /// First byte in UTF-8.
    pub start_byte: usize,
    /// One past the last byte in UTF-8.
    pub end_byte: usize,
    /// With [`Aggregation::None`]: the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<EntityToken>,
}

/// The token of a single-token entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct EntityToken {
    /// Index of the token's piece in the text.
    pub index: usize,
    /// Token id.
    pub id: u32,
}

/// The most probable label of each piece. `logits` has one row of `names.len()` values per piece, without rows for special
/// tokens.
///
/// # Errors
/// [`Error::Internal`] if the lengths don't match, [`Error::Tensor`] for NaN or infinite logits.
pub fn tokens(pieces: &[Piece], logits: &[f32], names: &[String]) -> Result<Vec<LabeledToken>> {
    check(pieces, logits, names)?;
    let rows = pieces.iter().zip(logits.chunks_exact(names.len())).enumerate();
    let best = rows.filter_map(|(index, (piece, row))| {
        let (label_id, probability) = largest(&softmax(row), 1).first().copied()?;
        let label = names.get(label_id)?.clone();
        Some(LabeledToken {
            label_id,
            label,
            probability,
            index,
            token: piece.id,
            start_byte: piece.start,
            end_byte: piece.end,
        })
    });
    Ok(best.collect())
}

/// Checks that there is a row of finite logits for every piece.
fn check(pieces: &[Piece], logits: &[f32], labels: &[String]) -> Result<()> {
    if labels.is_empty() || logits.len() != pieces.len() * labels.len() {
        let problem =
            format!("{} logits for {} tokens of {} labels", logits.len(), pieces.len(), labels.len());
        return Err(Error::internal("token classification", problem));
    }
    check_finite("logits", logits)
}
