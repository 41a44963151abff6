//! Logits of a token-classification head → labelled stretches of the source.

use serde::Serialize;

use super::ranking::{check_finite, largest, softmax};
use crate::error::{Error, Result};
use crate::text::{Piece, Utf16Index, whole_characters};

/// A token with its likeliest label.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LabelledToken {
    /// Number of the label in the head.
    pub label_id: usize,
    /// Its name in `config.json`'s `id2label`.
    pub label: String,
    /// Of this label at this token.
    pub probability: f64,
    /// Which of the text's pieces.
    pub index: usize,
    /// The piece's row of the vocabulary.
    pub token: u32,
    /// First byte in UTF-8.
    pub start_byte: usize,
    /// One past the last byte in UTF-8.
    pub end_byte: usize,
}

/// Neighbouring tokens of one label: `text[start_byte..end_byte] == entity.text`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entity {
    /// The label without its `B-` or `I-`.
    pub label: String,
    /// The part of the source.
    pub text: String,
    /// Mean over the tokens.
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

/// The likeliest label of each piece. `logits` holds a row of `names.len()` values a piece, rows of special tokens left out.
///
/// # Errors
/// [`Error::Internal`] if the lengths disagree, [`Error::Tensor`] for NaN or infinite logits.
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

/// Joins neighbouring tokens as `transformers`' `aggregation_strategy="simple"`: a token joins the one before it if the
/// label is the same but for `B-` or `I-` and it does not begin with `B-`. Tokens labelled `O` are left out.
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

/// Whether a label opens an entity, and its name without the prefix. A label without a prefix continues.
fn split(label: &str) -> (bool, &str) {
    match (label.strip_prefix("B-"), label.strip_prefix("I-")) {
        (Some(kind), _) => (true, kind),
        (_, Some(kind)) => (false, kind),
        _ => (false, label),
    }
}
