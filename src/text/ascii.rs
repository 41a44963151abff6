//! Reads ASCII text without the alignments that other text needs: each of its characters stays one byte.
//!
//! Most English text is ASCII, and creating alignments takes most of the tokenizing time.

use std::borrow::Cow;

use tokenizers::Model;
use tokenizers::models::wordpiece::WordPiece;

use super::matcher::{Matcher, is_word};
use super::normalizer::Normalizer;
use super::piece::Piece;
use super::segments::Segment;
use super::words::WordSplit;

/// The parts of a tokenizer that read ASCII text.
pub(super) struct AsciiReader<'a> {
    pub normalizer: Normalizer,
    pub words: WordSplit,
    pub model: &'a WordPiece,
    /// Added tokens in the text as written, and in the normalized text.
    pub matchers: &'a [Matcher; 2],
}

impl AsciiReader<'_> {
    /// Appends the pieces of a segment, whose first word has index `first`. Appends nothing and returns false
    /// if the segment isn't ASCII, or has control characters or added tokens.
    pub fn read(&self, segment: Segment<'_>, first: u32, pieces: &mut Vec<Piece>) -> bool {
        let Segment { start: shift, text, in_word } = segment;
        let Some(unknown) = self.model.token_to_id(&self.model.unk_token) else { return false };
        let is_plain = |byte| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r');
        if !text.bytes().all(is_plain) {
            return false;
        }
        let normalized =
            if self.normalizer.lowercase { Cow::Owned(text.to_ascii_lowercase()) } else { text.into() };
        let [as_written, in_normalized] = self.matchers;
        if as_written.occurs(text) || in_normalized.occurs(&normalized) {
            return false;
        }
        let mut number = first;
        let mut rest = &*normalized;
        loop {
            rest = rest.trim_ascii_start();
            if rest.is_empty() {
                return true;
            }
            let start = shift + text.len() - rest.len();
            let (word, after) = rest.split_at(self.word_length(rest.as_bytes()));
            let whole = Piece { id: unknown, start, end: start + word.len(), word: number };
            match pieces.last_mut() {
                Some(piece) if in_word && number == first => piece.end = whole.end,
                _ => self.read_word(word, whole, pieces),
            }
            number += 1;
            rest = after;
        }
    }

    /// Length of the word at the start of a non-empty `text`.
    fn word_length(&self, text: &[u8]) -> usize {
        let is_mark = |byte: u8| match self.words {
            WordSplit::Bert => byte.is_ascii_punctuation(),
            WordSplit::Runs => !is_word(byte.into()),
            WordSplit::Spaces => false,
        };
        let is_first_mark = text.first().is_some_and(|&byte| is_mark(byte));
        if is_first_mark && self.words == WordSplit::Bert {
            return 1;
        }
        let is_inside = |byte: u8| !byte.is_ascii_whitespace() && is_mark(byte) == is_first_mark;
        text.iter().take_while(|&&byte| is_inside(byte)).count()
    }

    /// WordPiece: appends the longest token that the word starts with, then the longest that continues it,
    /// and so on; or `unknown`, the whole word as one piece.
    fn read_word(&self, word: &str, unknown: Piece, pieces: &mut Vec<Piece>) {
        let before = pieces.len();
        // Trying all prefixes of a long word takes time quadratic in its length.
        let is_known =
            word.len() <= self.model.max_input_chars_per_word && self.split_word(word, unknown, pieces);
        if !is_known {
            pieces.truncate(before);
            pieces.push(unknown);
        }
    }

    /// Appends the tokens of the word at `whole`; returns false at the first character that no token covers.
    fn split_word(&self, word: &str, whole: Piece, pieces: &mut Vec<Piece>) -> bool {
        let mut token = String::with_capacity(self.model.continuing_subword_prefix.len() + word.len());
        let mut read = 0;
        while read < word.len() {
            token.clear();
            if read > 0 {
                token.push_str(&self.model.continuing_subword_prefix);
            }
            let prefix = token.len();
            token.push_str(&word[read..]);
            let Some(id) = self.shorten(&mut token, prefix) else { return false };
            let start = whole.start + read;
            read += token.len() - prefix;
            pieces.push(Piece { id, start, end: whole.start + read, ..whole });
        }
        true
    }

    /// Shortens `token` until it is in the vocabulary, and returns its id; `None` if only the prefix is left.
    fn shorten(&self, token: &mut String, prefix: usize) -> Option<u32> {
        while token.len() > prefix {
            let id = self.model.token_to_id(token);
            if id.is_some() {
                return id;
            }
            token.pop();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Tokenizer, TokenizerFiles};

    /// The tokens of a text as spelled in the vocabulary, or `None` if the reader can't handle it.
    fn read(text: &str) -> Option<Vec<String>> {
        let vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nsea\n##side\nside\n,\n";
        let files = TokenizerFiles { vocab: Some(vocabulary), ..Default::default() };
        let tokenizer = Tokenizer::from_files(files).unwrap();
        let mut pieces = Vec::new();
        let is_read =
            tokenizer.ascii_reader().read(Segment { start: 0, text, in_word: false }, 0, &mut pieces);
        assert!(is_read || pieces.is_empty());
        is_read.then(|| pieces.iter().filter_map(|piece| tokenizer.token(piece.id)).collect())
    }

    #[test]
    fn a_word_becomes_the_longest_tokens_or_is_unknown() {
        assert_eq!(read("Seaside,\tSIDE\r\n seas").unwrap(), ["sea", "##side", ",", "side", "[UNK]"]);
        assert_eq!(read(&"sea".repeat(40)).unwrap(), ["[UNK]"]);
        // Would take forever if all of its prefixes were looked up.
        assert_eq!(read(&"sea".repeat(1_000_000)).unwrap(), ["[UNK]"]);
        assert!(read(" \n").unwrap().is_empty());
    }

    #[test]
    fn texts_that_need_alignments_or_contain_added_tokens_are_left_to_others() {
        for text in ["sé", "sea\u{1}side", "sea\u{b}", "sea [MASK] side"] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
