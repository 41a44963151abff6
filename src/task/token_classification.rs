//! Logits of a token-classification head → labelled entities of the source.

use serde::Serialize;

use super::ranking::{check_finite, largest, softmax};
use crate::error::{Error, Result};
use crate::text::{Piece, Utf16Index, whole_characters};

/// A token with its most probable label.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LabelledToken {
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

/// Adjacent tokens with the same label: `text[start_byte..end_byte] == entity.text`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entity {
    /// The label without its `B-` or `I-`.
    pub label: String,
    /// The text of the entity, from the source.
    pub text: String,
    /// Mean probability over the tokens.
    pub probability: f64,
    /// First unit in UTF-16.
    pub start_utf16: usize,
    /// One past the last unit in UTF-16.
    pub end_utf16: usize,
    /// First byte in UTF-8.
    pub start_byte: usize,
    /// One past the last byte in UTF-8.
    pub end_byte: usize,
}

/// The most probable label of each piece. `logits` has one row of `names.len()` values per piece, without rows for special
/// tokens.
///
/// # Errors
/// [`Error::Internal`] if the lengths don't match, [`Error::Tensor`] for NaN or infinite logits.
pub fn tokens(pieces: &[Piece], logits: &[f32], names: &[String]) -> Result<Vec<LabelledToken>> {
    if names.is_empty() || logits.len() != pieces.len() * names.len() {
        let problem =
            format!("{} logits for {} tokens of {} labels", logits.len(), pieces.len(), names.len());
        return Err(Error::internal("token classification", problem));
    }
    check_finite("logits", logits)?;
    let rows = pieces.iter().zip(logits.chunks_exact(names.len())).enumerate();
    let best = rows.filter_map(|(index, (piece, row))| {
        let (label_id, probability) = largest(&softmax(row), 1).first().copied()?;
        let label = names.get(label_id)?.clone();
        Some(LabelledToken {
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

/// Joins adjacent tokens like `aggregation_strategy="simple"` in `transformers`: a token joins the previous one if the
/// labels are the same apart from `B-` or `I-`, and its own doesn't begin with `B-`. Omits tokens labelled `O`.
pub fn entities(text: &str, tokens: &[LabelledToken]) -> Vec<Entity> {
    let units = Utf16Index::new(text);
    let mut groups: Vec<Vec<&LabelledToken>> = Vec::new();
    for token in tokens {
        let (begins, kind) = split(&token.label);
        match groups.last_mut() {
            Some(group) if !begins && group.last().is_some_and(|last| split(&last.label).1 == kind) => {
                group.push(token);
            }
            _ => groups.push(vec![token]),
        }
    }
    let entity = |group: Vec<&LabelledToken>| {
        let (first, last) = (group.first()?, group.last()?);
        let kind = split(&first.label).1;
        if kind == "O" {
            return None;
        }
        let bytes = whole_characters(text, first.start_byte..last.end_byte);
        let in_utf16 = units.range(&bytes);
        let sum: f64 = group.iter().map(|token| token.probability).sum();
        Some(Entity {
            label: kind.to_owned(),
            text: text.get(bytes.clone())?.to_owned(),
            probability: sum / group.len() as f64,
            start_utf16: in_utf16.start,
            end_utf16: in_utf16.end,
            start_byte: bytes.start,
            end_byte: bytes.end,
        })
    };
    groups.into_iter().filter_map(entity).collect()
}

/// Whether a label begins an entity, and its name without the prefix. A label without a prefix continues an entity.
fn split(label: &str) -> (bool, &str) {
    match (label.strip_prefix("B-"), label.strip_prefix("I-")) {
        (Some(kind), _) => (true, kind),
        (_, Some(kind)) => (false, kind),
        _ => (false, label),
    }
}
