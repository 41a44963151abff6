//! A token and its range in the source.

use std::ops::Range;

/// A token of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Token id.
    pub id: u32,
    /// First byte of the piece in the source.
    pub start: usize,
    /// One past the last byte in the source. Accents after the piece's last character, which normalization removes, are
    /// not included; [`super::whole_characters`] adds them.
    pub end: usize,
    /// Index of the piece's word in the text. A word, as in BERT's basic tokenizer, is a run of letters and digits or one
    /// punctuation mark.
    pub word: u32,
}

impl Piece {
    /// The byte range in the source.
    pub fn range(&self) -> Range<usize> {
        self.start..self.end
    }
}
