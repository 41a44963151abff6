//! A text or a pair of texts as a model's input: `[CLS] a [SEP]` or `[CLS] a [SEP] b [SEP]`, unless the tokenizer has
//! another template.

use super::template::Assembled;
use super::{Piece, Tokenizer};
use crate::error::{Error, Result};

/// Token ids of a text or a pair, truncated to a maximum length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// Token ids, special tokens included, not padded.
    pub ids: Vec<u32>,
    /// 0 for the first text, 1 for the second. As long as `ids`.
    pub type_ids: Vec<u32>,
    /// Pieces of the first text that fit.
    pub pieces: Vec<Piece>,
    /// Pieces of the second text that fit.
    pub pair: Vec<Piece>,
    /// Positions in `ids` of the first piece of each text: 1 and `pieces.len() + 2` in BERT's template.
    pub positions: [usize; 2],
    /// True if anything was truncated.
    pub truncated: bool,
}

/// Encodes one text, or a pair, into at most `max_length` tokens.
///
/// Texts that don't fit are truncated like `transformers` with `truncation=True` (`longest_first`): in a
/// pair, the longer text gets what the shorter one leaves; if both are longer than half the room, each gets
/// half (and the longer one the odd token).
///
/// # Errors
/// [`Error::InvalidInput`] if `max_length` has no room for the special tokens.
pub fn encode(tokenizer: &Tokenizer, text: &str, pair: Option<&str>, max_length: usize) -> Result<Encoded> {
    let pieces = tokenizer.encode_with_special_tokens(text)?;
    let pair = pair.map(|pair| tokenizer.encode_with_special_tokens(pair)).transpose()?;
    assemble(tokenizer, pieces, pair, max_length)
}

/// Adds special tokens to pieces; see [`encode`].
///
/// # Errors
/// Same as [`encode`].
pub fn assemble(
    tokenizer: &Tokenizer,
    mut pieces: Vec<Piece>,
    pair: Option<Vec<Piece>>,
    max_length: usize,
) -> Result<Encoded> {
    let template = tokenizer.template();
    let is_pair = pair.is_some();
    let specials = template.specials(is_pair);
    let Some(room) = max_length.checked_sub(specials) else {
        let problem = format!("is {max_length}, but {specials} special tokens need room");
        return Err(Error::invalid_input("max_length", problem));
    };
    let mut pair = pair.unwrap_or_default();
    let truncated = pieces.len() + pair.len() > room;
    if truncated {
        let (first, second) = if is_pair { share(pieces.len(), pair.len(), room) } else { (room, 0) };
        shorten(tokenizer, &mut pieces, first);
        shorten(tokenizer, &mut pair, second);
    }
    let id = |piece: &Piece| piece.id;
    let Assembled { ids, type_ids, positions } =
        template.assemble(pieces.iter().map(id), is_pair.then(|| pair.iter().map(id)));
    Ok(Encoded { ids, type_ids, pieces, pair, positions, truncated })
}

/// Number of pieces of one text that fit into `max_length` tokens.
///
/// # Errors
/// [`Error::InvalidInput`] if there isn't room for any.
pub fn room(tokenizer: &Tokenizer, max_length: usize) -> Result<usize> {
    let specials = tokenizer.template().specials(false);
    max_length.checked_sub(specials).filter(|&room| room > 0).ok_or_else(|| {
        let problem = format!("is {max_length}, but a token and {specials} special tokens need room");
        Error::invalid_input("max_length", problem)
    })
}

/// Adds special tokens to the pieces of a pair, truncating only the first text, like `transformers` with
/// `only_first`.
///
/// # Errors
/// [`Error::InvalidInput`] if the second text and the special tokens alone are longer than `max_length`.
pub fn assemble_whole_pair(
    tokenizer: &Tokenizer,
    mut pieces: Vec<Piece>,
    pair: Vec<Piece>,
    max_length: usize,
) -> Result<Encoded> {
    let specials = tokenizer.template().specials(true);
    let Some(room) = max_length.checked_sub(pair.len() + specials) else {
        let problem = format!("is {max_length}, but the second text alone has {} tokens", pair.len());
        return Err(Error::invalid_input("max_length", problem));
    };
    let truncated = pieces.len() > room;
    shorten(tokenizer, &mut pieces, room);
    let whole = assemble(tokenizer, pieces, Some(pair), max_length)?;
    Ok(Encoded { truncated, ..whole })
}

/// Truncates pieces to `length`, at the end or, if the tokenizer says so, at the start.
fn shorten(tokenizer: &Tokenizer, pieces: &mut Vec<Piece>, length: usize) {
    if tokenizer.truncates_left() {
        pieces.drain(..pieces.len().saturating_sub(length));
    } else {
        pieces.truncate(length);
    }
}

/// Lengths to which a pair is truncated.
fn share(first: usize, second: usize, room: usize) -> (usize, usize) {
    let shorter = first.min(second);
    let (shorter, longer) =
        if shorter <= room / 2 { (shorter, room - shorter) } else { (room / 2, room - room / 2) };
    if first > second { (longer, shorter) } else { (shorter, longer) }
}
