//! Logits of a masked-language-model head → the most probable tokens for each mask.

use serde::Serialize;

use super::ranking::{check_finite, largest, softmax};
use crate::error::{Error, Result};
use crate::sorting::sort_by;
use crate::text::Tokenizer;

/// A candidate token for a mask.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fill {
    /// Probability among all tokens of the vocabulary.
    pub probability: f64,
    /// Token id.
    pub token: u32,
    /// The token as spelled in the vocabulary (`"##ing"` continues a word).
    pub token_str: String,
    /// The whole text with the token filled in, decoded from tokens as in `transformers`: lowercase with an
    /// uncased tokenizer, one space between words. Other masks remain.
    pub sequence: String,
}

/// The only tokens that may fill a mask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Targets {
    /// Distinct token ids.
    pub ids: Vec<u32>,
    /// The targets that aren't a single token of the vocabulary, each with its first token, which is used
    /// instead.
    pub replaced: Vec<Replaced>,
}

/// A target and the token used instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Replaced {
    /// The target, as given.
    pub target: String,
    /// The token, as spelled in the vocabulary.
    pub token: String,
}

impl Targets {
    /// Looks up targets the way `transformers` does: as spelled in the vocabulary, otherwise the first of the
    /// tokens that the tokenizer splits the target into.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] without targets, or listing the targets that the tokenizer doesn't know.
    pub fn find(tokenizer: &Tokenizer, targets: &[String]) -> Result<Self> {
        if targets.is_empty() {
            return Err(Error::invalid_input("targets", "is empty; at least one target is needed"));
        }
        let (mut found, mut unknown) = (Self::default(), Vec::new());
        for target in targets {
            let id = match tokenizer.id(target) {
                Some(id) => id,
                None => match tokenizer.encode(target)?.first() {
                    Some(piece) if piece.id != tokenizer.special().unknown => {
                        let token = tokenizer.token(piece.id).unwrap_or_default();
                        found.replaced.push(Replaced { target: target.clone(), token });
                        piece.id
                    }
                    _ => {
                        unknown.push(format!("{target:?}"));
                        continue;
                    }
                },
            };
            if !found.ids.contains(&id) {
                found.ids.push(id);
            }
        }
        if unknown.is_empty() {
            return Ok(found);
        }
        let problem = format!("the vocabulary has no token for {}", unknown.join(", "));
        Err(Error::invalid_input("targets", problem))
    }
}

/// The `top_k` most probable tokens for one mask, among all tokens or only the `targets`. `logits` is the row
/// at its `position`, and `ids` is the whole input including special tokens. Probabilities are over all
/// tokens either way.
///
/// # Errors
/// [`Error::InvalidInput`] if there is no mask at `position`, [`Error::Tensor`] for NaN or infinite logits.
pub fn fills(
    tokenizer: &Tokenizer,
    ids: &[u32],
    position: usize,
    logits: &[f32],
    targets: Option<&[u32]>,
    top_k: usize,
) -> Result<Vec<Fill>> {
    let mask = tokenizer.special().mask;
    if mask.is_none() || ids.get(position).copied() != mask {
        let problem = format!("has no {} at position {position}", tokenizer.mask_token());
        return Err(Error::invalid_input("text", problem));
    }
    check_finite("logits", logits)?;
    // Logits past the vocabulary belong to the padding of the word embeddings, which has no spelling.
    let known = logits.len().min(tokenizer.vocabulary_size());
    let probabilities = softmax(logits);
    let mut best = match targets {
        None => largest(probabilities.get(..known).unwrap_or_default(), top_k),
        Some(targets) => {
            let of_target = |&id: &u32| Some((id as usize, *probabilities.get(id as usize)?));
            targets.iter().filter_map(of_target).collect()
        }
    };
    sort_by(&mut best, |a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    best.truncate(top_k);
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
