//! One token of a text and the place it came from.

use std::ops::Range;

/// A token of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Row of the vocabulary.
    pub id: u32,
    /// First byte of the source that this piece stands for.
    pub start: usize,
    /// One past the last byte of the source. Accents that normalisation removes after the piece's last character are
    /// not included; [`super::whole_characters`] adds them.
    pub end: usize,
    /// Counts the words of the text, a word being what BERT's basic tokenizer yields: a run of letters and digits, or
    /// one punctuation mark.
    pub word: u32,
}

impl Piece {
    /// The bytes of the source.
    pub fn range(&self) -> Range<usize> {
        self.start..self.end
    }
}
