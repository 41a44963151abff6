//! Splits normalized text into words for WordPiece: the `pre_tokenizer` of `tokenizer.json`.

use serde_json::Value;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::tokenizer::pattern::Pattern;
use tokenizers::{Offsets, PreTokenizedString, PreTokenizer, SplitDelimiterBehavior};

use super::form::{kind_of, only_element, unsupported};
use super::matcher::is_word;
use crate::error::Result;

/// How text is split into words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum WordSplit {
    /// `BertPreTokenizer`: at white space and around each punctuation mark.
    #[default]
    Bert,
    /// `Whitespace`: runs of letters, digits and `_`, and runs of other characters.
    Runs,
    /// `WhitespaceSplit`: at white space only.
    Spaces,
}

impl WordSplit {
    pub(super) fn read(part: Option<&Value>) -> Result<Self> {
        match kind_of(only_element(part, "pretokenizers")) {
            Some("BertPreTokenizer") => Ok(Self::Bert),
            Some("Whitespace") => Ok(Self::Runs),
            Some("WhitespaceSplit") => Ok(Self::Spaces),
            other => Err(unsupported(
                "pre-tokenizer",
                other,
                "BertPreTokenizer, Whitespace, WhitespaceSplit, or a Sequence of one of them",
            )),
        }
    }

    pub(super) fn split(self, text: &mut PreTokenizedString) -> tokenizers::Result<()> {
        let removed = SplitDelimiterBehavior::Removed;
        match self {
            Self::Bert => BertPreTokenizer.pre_tokenize(text),
            Self::Runs => text.split(|_, part| part.split(Runs, removed)),
            Self::Spaces => text.split(|_, part| part.split(char::is_whitespace, removed)),
        }
    }
}

/// `\w+|[^\w\s]+`; everything between matches is white space, which is marked for removal.
struct Runs;

impl Pattern for Runs {
    fn find_matches(&self, inside: &str) -> tokenizers::Result<Vec<(Offsets, bool)>> {
        let kind = |c: char| (is_word(c), !is_word(c) && c.is_whitespace());
        let mut runs: Vec<(Offsets, (bool, bool))> = Vec::new();
        for (start, c) in inside.char_indices() {
            let end = start + c.len_utf8();
            match runs.last_mut() {
                Some((offsets, last)) if *last == kind(c) => offsets.1 = end,
                _ => runs.push(((start, end), kind(c))),
            }
        }
        if runs.is_empty() {
            return Ok(vec![((0, inside.len()), false)]);
        }
        Ok(runs.into_iter().map(|(offsets, (_, is_space))| (offsets, is_space)).collect())
    }
}
