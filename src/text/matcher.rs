//! Finds added tokens in a text before WordPiece runs, like the `tokenizers` crate.

use tokenizers::normalizer::Range;
use tokenizers::{NormalizedString, Split, Token};
use unicode_categories::UnicodeCategories;

use super::added_tokens::AddedToken;
use crate::sorting::sort_by;

/// Matches a set of patterns: leftmost first, then longest.
#[derive(Clone, Debug, Default)]
pub(super) struct Matcher {
    /// Sorted by their bytes.
    patterns: Vec<Pattern>,
}

/// A token to find, as spelled in the text.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    text: String,
    pub(super) token: AddedToken,
}

impl Matcher {
    /// Sorts tokens by their spelling in the text; an empty one never occurs.
    pub(super) fn new(tokens: impl IntoIterator<Item = (String, AddedToken)>) -> Self {
        let pattern = |(text, token)| Pattern { text, token };
        let mut patterns: Vec<_> = tokens.into_iter().map(pattern).collect();
        patterns.retain(|pattern| !pattern.text.is_empty());
        sort_by(&mut patterns, |a, b| a.text.cmp(&b.text));
        patterns.dedup_by(|later, first| later.text == first.text);
        Self { patterns }
    }

    /// Returns whether a match could contain white space.
    pub(super) fn crosses_spaces(&self) -> bool {
        let crosses = |p: &Pattern| p.token.lstrip || p.token.rstrip || p.text.contains(char::is_whitespace);
        self.patterns.iter().any(crosses)
    }

    /// Number of characters in the longest pattern.
    pub(super) fn longest(&self) -> usize {
        self.patterns.iter().map(|pattern| pattern.text.chars().count()).max().unwrap_or_default()
    }

    /// Returns whether any pattern is in `text`.
    pub(super) fn occurs(&self, text: &str) -> bool {
        text.char_indices().any(|(at, _)| self.found(&text[at..]).is_some())
    }

    /// Splits `text` at every match that isn't `plain`. Matches already have their token; the rest still has
    /// to be tokenized.
    pub(super) fn split(&self, text: NormalizedString, plain: impl Fn(&AddedToken) -> bool) -> Vec<Split> {
        let source = text.get();
        let mut splits = Vec::new();
        let mut read = 0;
        let mut at = 0;
        while at < source.len() {
            let Some(found) = self.found(&source[at..]) else {
                at += source[at..].chars().next().map_or(1, char::len_utf8);
                continue;
            };
            let token = &found.token;
            let (mut start, mut end) = (at, at + found.text.len());
            at = end;
            // As in the crate, shorter tokens inside a rejected match aren't considered.
            let inside_word = source[..start].ends_with(is_word) || source[end..].starts_with(is_word);
            if start < read || plain(token) || (token.single_word && inside_word) {
                continue;
            }
            if token.lstrip {
                start = source[..start].trim_end().len().max(read);
            }
            if token.rstrip {
                end = source.len() - source[end..].trim_start().len();
            }
            push_slice(&mut splits, &text, read..start, None);
            let token = Token::new(token.id, found.text.clone(), (0, end - start));
            push_slice(&mut splits, &text, start..end, Some(vec![token]));
            read = end;
        }
        if read == 0 {
            return vec![text.into()];
        }
        push_slice(&mut splits, &text, read..source.len(), None);
        splits
    }

    /// The longest pattern that `text` starts with.
    fn found(&self, text: &str) -> Option<&Pattern> {
        let mut candidates = &self.patterns[..];
        let mut found = None;
        for (depth, byte) in text.bytes().enumerate() {
            let at_depth = |pattern: &Pattern| pattern.text.as_bytes().get(depth).copied();
            let start = candidates.partition_point(|pattern| at_depth(pattern) < Some(byte));
            candidates = &candidates[start..];
            let end = candidates.partition_point(|pattern| at_depth(pattern) == Some(byte));
            candidates = &candidates[..end];
            let Some(first) = candidates.first() else { break };
            if first.text.len() == depth + 1 {
                found = Some(first);
            }
        }
        found
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
pub(super) fn is_word(c: char) -> bool {
    c.is_alphabetic()
        || c.is_mark()
        || c.is_number_decimal_digit()
        || c.is_punctuation_connector()
        || matches!(c, '\u{200c}' | '\u{200d}')
}
