//! Finds the tokens that a model's author added to the vocabulary, before WordPiece runs.

use tokenizers::normalizer::Range;
use tokenizers::{NormalizedString, Split, Token};
use unicode_categories::UnicodeCategories;

/// Matches a set of patterns: leftmost first, then longest.
#[derive(Clone, Debug, Default)]
pub(super) struct Matcher {
    patterns: Vec<Pattern>,
    /// Indices of the patterns by first byte, longest first.
    by_first_byte: Vec<Vec<usize>>,
}

#[derive(Clone, Debug)]
struct Pattern {
    text: String,
    id: u32,
    single_word: bool,
}

impl Matcher {
    pub(super) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Adds a token; an empty token is ignored.
    pub(super) fn insert(&mut self, text: &str, id: u32, single_word: bool) {
        let Some(&first) = text.as_bytes().first() else { return };
        self.by_first_byte.resize(256, Vec::new());
        self.patterns.push(Pattern { text: text.to_owned(), id, single_word });
        let patterns = &self.patterns;
        if let Some(list) = self.by_first_byte.get_mut(usize::from(first)) {
            list.push(patterns.len() - 1);
            list.sort_by_key(|&index| std::cmp::Reverse(patterns.get(index).map_or(0, |p| p.text.len())));
        }
    }

    /// Splits `text` at every match. Matches already have their token; the rest is still to be tokenized.
    pub(super) fn split(&self, text: NormalizedString) -> Vec<Split> {
        let source = text.get();
        let mut splits = Vec::new();
        let mut read = 0;
        let mut at = 0;
        while at < source.len() {
            let Some(found) = self.match_at(source, at) else {
                at += source[at..].chars().next().map_or(1, char::len_utf8);
                continue;
            };
            let end = at + found.text.len();
            push_slice(&mut splits, &text, read..at, None);
            let token = Token::new(found.id, found.text.clone(), (0, found.text.len()));
            push_slice(&mut splits, &text, at..end, Some(vec![token]));
            (at, read) = (end, end);
        }
        if read == 0 {
            return vec![text.into()];
        }
        push_slice(&mut splits, &text, read..source.len(), None);
        splits
    }

    fn match_at(&self, source: &str, at: usize) -> Option<&Pattern> {
        let first = *source.as_bytes().get(at)?;
        let candidates = self.by_first_byte.get(usize::from(first))?;
        candidates.iter().filter_map(|&index| self.patterns.get(index)).find(|pattern| {
            let rest = &source[at..];
            rest.starts_with(&pattern.text)
                && (!pattern.single_word
                    || !(source[..at].ends_with(is_word) || rest[pattern.text.len()..].starts_with(is_word)))
        })
    }
}

fn push_slice(
    splits: &mut Vec<Split>,
    text: &NormalizedString,
    range: std::ops::Range<usize>,
    tokens: Option<Vec<Token>>,
) {
    if range.is_empty() {
        return;
    }
    if let Some(slice) = text.slice(Range::Normalized(range)) {
        splits.push((slice, tokens).into());
    }
}

/// Like `\w` in regular expressions.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c.is_mark() || c.is_punctuation_connector()
}
