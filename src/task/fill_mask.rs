//! Logits of a masked-LM head → the likeliest tokens for each mask.

use serde::Serialize;

use super::ranking::{check_finite, largest, softmax};
use crate::error::{Error, Result};
use crate::text::Tokenizer;

/// A token that fits in place of the mask.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fill {
    /// Among all tokens of the vocabulary.
    pub probability: f64,
    /// The token's id.
    pub token: u32,
    /// The token as it stands in the vocabulary (`"##ing"` continues a word).
    pub token_str: String,
    /// The whole text with the token filled in, put together from tokens as `transformers` does: lower-cased by an uncased
    /// tokenizer, one space between words. Other masks stay.
    pub sequence: String,
}

/// The `top_k` likeliest tokens at one mask. `logits` is the row of that position, `ids` the whole input with its special
/// tokens, `position` the mask's place in it.
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
    // Rows past the vocabulary are padding of the word vectors; they have no spelling.
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

/// Positions of the masks in `ids`.
pub fn masks(tokenizer: &Tokenizer, ids: &[u32]) -> Vec<usize> {
    let mask = tokenizer.special().mask;
    let is_mask = |&at: &usize| mask.is_some() && ids.get(at).copied() == mask;
    (0..ids.len()).filter(is_mask).collect()
}
