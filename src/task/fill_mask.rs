//! Logits of a masked-language-model head → the most probable tokens for each mask.

use serde::Serialize;

use super::ranking::{check_finite, largest, softmax};
use crate::error::{Error, Result};
use crate::text::Tokenizer;

/// A token for a mask.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fill {
    /// Probability among all tokens of the vocabulary.
    pub probability: f64,
    /// Token id.
    pub token: u32,
    /// The token as spelled in the vocabulary (`"##ing"` continues a word).
    pub token_str: String,
    /// The whole text with the token filled in, decoded from tokens like in `transformers`: lowercase with an uncased
    /// tokenizer, one space between words. Other masks remain.
    pub sequence: String,
}

/// The `top_k` most probable tokens for one mask. `logits` is the row at its `position`, and `ids` is the whole input
/// including special tokens.
///
/// # Errors
/// [`Error::InvalidInput`] if there is no mask at `position`, [`Error::Tensor`] for NaN or infinite logits.
pub fn fills(
    tokenizer: &Tokenizer,
    ids: &[u32],
    position: usize,
    logits: &[f32],
    top_k: usize,
) -> Result<Vec<Fill>> {
    let mask = tokenizer.special().mask;
    if mask.is_none() || ids.get(position).copied() != mask {
        let problem = format!("has no {} at position {position}", tokenizer.mask_token());
        return Err(Error::invalid_input("text", problem));
    }
    check_finite("logits", logits)?;
    // Logits past the vocabulary belong to padding of the word embeddings; they have no spelling.
    let known = logits.len().min(tokenizer.vocabulary_size());
    let probabilities = softmax(logits);
    let best = largest(probabilities.get(..known).unwrap_or_default(), top_k);
    let fill = |(token, probability): (usize, f64)| {
        let token = u32::try_from(token).ok()?;
        let mut filled = ids.to_vec();
        *filled.get_mut(position)? = token;
        let token_str = tokenizer.token(token)?;
        Some(Fill { probability, token, token_str, sequence: tokenizer.decode(&filled) })
    };
    Ok(best.into_iter().filter_map(fill).collect())
}

/// Positions of masks in `ids`.
pub fn masks(tokenizer: &Tokenizer, ids: &[u32]) -> Vec<usize> {
    let mask = tokenizer.special().mask;
    let is_mask = |&at: &usize| mask.is_some() && ids.get(at).copied() == mask;
    (0..ids.len()).filter(is_mask).collect()
}
