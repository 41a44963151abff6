//! One text or a pair of texts as a model's input: `[CLS] a [SEP]` or `[CLS] a [SEP] b [SEP]`.

use super::{Piece, Tokenizer};
use crate::error::{Error, Result};

/// Token ids of a text or a pair, cut to a model's length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// Token ids, special tokens included, not padded.
    pub ids: Vec<u32>,
    /// 0 for the first text, 1 for the second. As long as `ids`.
    pub type_ids: Vec<u32>,
    /// What was kept of the first text; its first piece stands at position 1.
    pub pieces: Vec<Piece>,
    /// What was kept of the second text; its first piece stands at position `pieces.len() + 2`.
    pub pair: Vec<Piece>,
    /// Whether something was cut off.
    pub truncated: bool,
}

/// Encodes one text, or a pair, into at most `max_length` tokens.
///
/// What is too long loses its end, as `transformers` does with `truncation=True` (`longest_first`): of a pair the longer
/// text is cut down to the rest of the room, and where both are longer than half the room, both to half (the odd token
/// goes to the longer).
///
/// # Errors
/// [`Error::InvalidInput`] where `max_length` has no room for the special tokens.
pub fn encode(tokenizer: &Tokenizer, text: &str, pair: Option<&str>, max_length: usize) -> Result<Encoded> {
    let pieces = tokenizer.encode(text)?;
    let pair = pair.map(|pair| tokenizer.encode(pair)).transpose()?;
    assemble(tokenizer, pieces, pair, max_length)
}

/// Puts pieces between special tokens; see [`encode`].
///
/// # Errors
/// As [`encode`].
pub fn assemble(
    tokenizer: &Tokenizer,
    mut pieces: Vec<Piece>,
    pair: Option<Vec<Piece>>,
    max_length: usize,
) -> Result<Encoded> {
    let specials = if pair.is_some() { 3 } else { 2 };
    let Some(room) = max_length.checked_sub(specials) else {
        let problem = format!("is {max_length}; {specials} special tokens need room");
        return Err(Error::invalid_input("max_length", problem));
    };
    let is_pair = pair.is_some();
    let mut pair = pair.unwrap_or_default();
    let truncated = pieces.len() + pair.len() > room;
    if truncated {
        let (first, second) = if is_pair { share(pieces.len(), pair.len(), room) } else { (room, 0) };
        pieces.truncate(first);
        pair.truncate(second);
    }
    let special = tokenizer.special();
    let mut ids = vec![special.class];
    ids.extend(pieces.iter().map(|piece| piece.id));
    ids.push(special.separator);
    let mut type_ids = vec![0; ids.len()];
    if is_pair {
        ids.extend(pair.iter().map(|piece| piece.id));
        ids.push(special.separator);
        type_ids.resize(ids.len(), 1);
    }
    Ok(Encoded { ids, type_ids, pieces, pair, truncated })
}

/// Lengths to which a pair that does not fit is cut.
fn share(first: usize, second: usize, room: usize) -> (usize, usize) {
    let shorter = first.min(second);
    let (shorter, longer) =
        if shorter <= room / 2 { (shorter, room - shorter) } else { (room / 2, room - room / 2) };
    if first > second { (longer, shorter) } else { (shorter, longer) }
}
