//! From text to pieces, segment by segment.

use tokenizers::{Model, NormalizedString, OffsetType, PreTokenizedString};

use super::added_tokens::AddedToken;
use super::ascii::AsciiReader;
use super::piece::Piece;
use super::segments::{Cuts, SEGMENT, Segment};
use super::tokenizer::{Found, Tokenizer, library};
use crate::error::Result;

impl Tokenizer {
    pub(super) fn encode_finding(&self, text: &str, found: Found) -> Result<Vec<Piece>> {
        self.encode_segments(text, found, SEGMENT)
    }

    /// The pieces of a text, tokenized in segments of at least `segment` bytes.
    pub(super) fn encode_segments(&self, text: &str, found: Found, segment: usize) -> Result<Vec<Piece>> {
        let reader = self.ascii_reader();
        let mut pieces = Vec::with_capacity(text.len() / 4);
        for segment in self.cuts(segment).segments(text) {
            if !reader.read(segment, first_word(segment, &pieces), &mut pieces) {
                self.encode_segment(segment, found, &mut pieces)?;
            }
        }
        Ok(pieces)
    }

    pub(super) fn ascii_reader(&self) -> AsciiReader<'_> {
        AsciiReader {
            normalizer: self.normalizer,
            words: self.words,
            model: &self.model,
            matchers: &self.matchers,
        }
    }

    /// Cuts a text into segments of at least `segment` bytes.
    pub(super) fn cuts(&self, segment: usize) -> Cuts<'_> {
        let longest_word = self.model.max_input_chars_per_word;
        Cuts::new(self.normalizer, self.words, &self.matchers, longest_word, segment)
    }

    pub(super) fn encode_segment(
        &self,
        segment: Segment<'_>,
        found: Found,
        pieces: &mut Vec<Piece>,
    ) -> Result<()> {
        let Segment { start: shift, text, in_word } = segment;
        let plain = |token: &AddedToken| {
            token.special
                && match found {
                    Found::All => false,
                    Found::Added => self.special.has(token.id),
                    Found::Only(id) => token.id != id,
                    Found::None => true,
                }
        };
        let [as_written, normalized] = &self.matchers;
        let mut words = PreTokenizedString::from(NormalizedString::from(text));
        words.split(|_, part| Ok(as_written.split(part, plain))).map_err(library)?;
        words
            .normalize(|part| {
                self.normalizer.normalize(part);
                Ok(())
            })
            .map_err(library)?;
        words.split(|_, part| Ok(normalized.split(part, plain))).map_err(library)?;
        self.words.split(&mut words).map_err(library)?;
        words.tokenize(|word| self.model.tokenize(word.get())).map_err(library)?;
        let encoding = words.into_encoding(None, 0, OffsetType::Byte).map_err(library)?;
        let first = first_word(segment, pieces);
        let places = encoding.get_offsets().iter().zip(encoding.get_word_ids());
        for (&id, (&(start, end), word)) in encoding.get_ids().iter().zip(places) {
            let word = first + word.unwrap_or_default();
            match pieces.last_mut() {
                Some(unknown) if in_word && word == first => unknown.end = end + shift,
                _ => pieces.push(Piece { id, start: start + shift, end: end + shift, word }),
            }
        }
        Ok(())
    }
}

/// Index of a segment's first word, after the `pieces` of earlier segments.
fn first_word(segment: Segment<'_>, pieces: &[Piece]) -> u32 {
    pieces.last().map_or(0, |piece| piece.word + u32::from(!segment.in_word))
}
