//! Cuts a long text into segments that can be tokenized one by one, because normalizing takes dozens of bytes
//! of memory per byte of text.
//!
//! A cut is next to a space, before a character that is a word by itself, or inside a word that already has
//! too many characters for WordPiece before the cut, so that it is unknown whatever follows. Nothing near a
//! cut may belong to an added token or be affected by characters on the other side.

use tokenizers::NormalizedString;
use unicode_categories::UnicodeCategories;
use unicode_normalization_alignments::char::canonical_combining_class;

use super::matcher::Matcher;
use super::normalizer::{Normalizer, is_chinese, is_dropped};
use super::words::WordSplit;

/// Bytes of a segment, unless there is no place to cut. Short, because an ASCII segment takes a fraction of
/// the time.
pub(super) const SEGMENT: usize = 1 << 8;

/// A part of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'a> {
    /// First byte in the text.
    pub start: usize,
    pub text: &'a str,
    /// True if its first word is the rest of the previous segment's last word, which is unknown.
    pub in_word: bool,
}

/// Determines where a text can be cut.
pub(super) struct Cuts<'a> {
    normalizer: Normalizer,
    words: WordSplit,
    /// Added tokens in the text as written, and in the normalized text.
    matchers: &'a [Matcher; 2],
    /// Maximum number of characters of a word that isn't unknown.
    longest_word: usize,
    /// Minimum length of a segment in bytes, except for the last.
    segment: usize,
    /// Number of characters in the longest added token.
    reach: usize,
    /// True if an added token could contain white space.
    crosses_spaces: bool,
}

impl<'m> Cuts<'m> {
    pub fn new(
        normalizer: Normalizer,
        words: WordSplit,
        matchers: &'m [Matcher; 2],
        longest_word: usize,
        segment: usize,
    ) -> Self {
        let reach = matchers.iter().map(Matcher::longest).max().unwrap_or_default();
        let crosses_spaces = matchers.iter().any(Matcher::crosses_spaces);
        Self { normalizer, words, matchers, longest_word, segment, reach, crosses_spaces }
    }

    /// The segments of a text.
    pub fn segments<'t>(&self, text: &'t str) -> impl Iterator<Item = Segment<'t>> {
        let mut next = Some((0, false));
        std::iter::from_fn(move || {
            let (start, in_word) = next.filter(|&(start, _)| start < text.len())?;
            next = self.cut(text, start + self.segment);
            let end = next.map_or(text.len(), |(end, _)| end);
            Some(Segment { start, text: &text[start..end], in_word })
        })
    }

    /// The first byte from `from` on where a text can be cut, and whether it is inside a word.
    fn cut(&self, text: &str, from: usize) -> Option<(usize, bool)> {
        let from = (from..text.len()).find(|&at| text.is_char_boundary(at))?;
        let reach = self.reach;
        let mut letters = 0;
        // After a position that isn't clear, the next ones aren't either.
        let mut wait = 0;
        for (at, c) in text[from..].char_indices().map(|(at, c)| (from + at, c)) {
            if matches!(c, ' ' | '\t' | '\r' | '\n') && !self.crosses_spaces {
                return Some((at, false));
            }
            let in_word = letters > self.longest_word && self.is_inside(c);
            if (in_word || self.is_word(c)) && wait == 0 {
                let before = if in_word { self.longest_word + 1 } else { 1 };
                if self.is_clear(text, at, before + reach, 1 + reach) {
                    return Some((at, in_word));
                }
                wait = reach + 1;
                letters = 0;
            }
            letters = if self.is_inside(c) { letters + 1 } else { 0 };
            wait = wait.saturating_sub(1);
        }
        None
    }

    /// Returns whether a character belongs to the same word as others of its kind.
    fn is_inside(&self, c: char) -> bool {
        is_letter(c) && !self.is_spaced(c)
    }

    /// Returns whether a character is a word by itself.
    fn is_word(&self, c: char) -> bool {
        self.is_spaced(c) || (self.words == WordSplit::Bert && c.is_ascii_punctuation())
    }

    fn is_spaced(&self, c: char) -> bool {
        self.normalizer.space_chinese && is_chinese(c)
    }

    /// Returns whether the `before` characters before a position and the `after` characters after it are
    /// normalized independently, and none of them belongs to an added token.
    fn is_clear(&self, text: &str, at: usize, before: usize, after: usize) -> bool {
        let is_steady = |c: char| c.is_ascii_graphic() || is_letter(c);
        let (left, right) = text.split_at(at);
        let mut start = at;
        for c in left.chars().rev().take(before) {
            start -= c.len_utf8();
            if !is_steady(c) {
                return false;
            }
        }
        let mut end = at;
        for c in right.chars().take(after) {
            end += c.len_utf8();
            if !is_steady(c) {
                return false;
            }
        }
        let mut normalized = NormalizedString::from(&text[start..end]);
        self.normalizer.normalize(&mut normalized);
        let [as_written, in_normalized] = self.matchers;
        !as_written.occurs(&text[start..end]) && !in_normalized.occurs(normalized.get())
    }
}

/// Returns whether a character is a letter or a digit whose normalization doesn't depend on others.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || (c.is_alphabetic() && !c.is_mark() && !is_dropped(c) && canonical_combining_class(c) == 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::text::tokenizer::Found;
    use crate::text::{Tokenizer, TokenizerFiles};

    const VOCAB: &str =
        "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##a\nb\n##b\n1\n##1\ne\n##e\n東\n.\n,\n[\n]\nя\n##я\nsep\n";

    /// Tokenizers with each way to split words, whose longest word has six characters.
    fn tokenizers() -> impl Iterator<Item = Tokenizer> {
        let added = |id: u32, content: &str, normalized: bool, single_word: bool| {
            json!({"id": id, "content": content, "normalized": normalized, "single_word": single_word,
                "lstrip": false, "rstrip": false, "special": false})
        };
        let vocab: serde_json::Map<_, _> =
            VOCAB.lines().enumerate().map(|(id, token)| (token.to_owned(), id.into())).collect();
        let pre_tokenizers = ["BertPreTokenizer", "Whitespace", "WhitespaceSplit"];
        let settings = pre_tokenizers.into_iter().flat_map(|words| [(words, true), (words, false)]);
        settings.map(move |(words, uncased)| {
            let json = json!({
                "version": "1.0", "truncation": null, "padding": null, "post_processor": null,
                "added_tokens": [added(3, "[SEP]", false, false), added(30, "ab1", true, false), added(31, "b,", false, true)],
                "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": uncased,
                    "strip_accents": null, "lowercase": uncased},
                "pre_tokenizer": {"type": words},
                "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
                "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                    "max_input_chars_per_word": 6, "vocab": vocab.clone()},
            });
            let json = json.to_string();
            Tokenizer::from_files(TokenizerFiles { tokenizer_json: Some(&json), ..Default::default() }).unwrap()
        })
    }

    proptest! {
        #[test]
        fn segments_have_the_pieces_of_the_whole_text(
            text in "((a|b|B|1|é|я){1,40}|[ab1,.東京\\[\\]]{1,30}|\\[SEP\\]|ab1|AB1|b,|e\u{301}|\u{302}|\u{0}|\u{1}|\u{b}| |\t|\n|_|\u{a0}|İ|한){1,12}",
            segment in 1..40usize,
        ) {
            for tokenizer in tokenizers() {
                let mut whole = Vec::new();
                let all = Segment { start: 0, text: &text, in_word: false };
                tokenizer.encode_segment(all, Found::All, &mut whole).unwrap();
                let found = tokenizer.encode_segments(&text, Found::All, segment).unwrap();
                prop_assert_eq!(&found, &whole, "{:?} of {:?}", tokenizer.words, text);
            }
        }
    }

    #[test]
    fn a_text_without_spaces_is_cut() {
        for tokenizer in tokenizers() {
            let cuts = |text: &str| tokenizer.cuts(20).segments(text).count();
            assert!(cuts(&"яé".repeat(100)) > 5);
            assert!(cuts(&"1e".repeat(100)) > 5);
            assert_eq!(tokenizer.words == WordSplit::Bert, cuts(&"a,1.".repeat(50)) > 5);
        }
    }
}
