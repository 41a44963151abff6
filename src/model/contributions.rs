//! The contribution of each word of a text to a label: the label's probability with and without the word.

use std::ops::{ControlFlow, Range};

use serde::Serialize;

use super::task::{Stopwatch, output};
use super::{Model, TextClassification, Timing};
use crate::error::{Error, Result};
use crate::session::Outputs;
use crate::text::sequence::{self, Encoded};
use crate::text::{Tokenizer, Utf16Index};

/// A word of a text, a run of characters other than white space.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WordContribution {
    /// The word, `text[start_byte..end_byte]`.
    pub text: String,
    /// First unit in UTF-16.
    pub start_utf16: usize,
    /// One past the last unit in UTF-16.
    pub end_utf16: usize,
    /// First byte in UTF-8.
    pub start_byte: usize,
    /// One past the last byte in UTF-8.
    pub end_byte: usize,
    /// The label's probability with the word minus that without it, between −1 and 1.
    pub contribution: f64,
    /// True if a part of the word, such as most emoji, isn't in the vocabulary, so the model can't know what
    /// it means.
    pub unknown: bool,
}

/// The contributions of a text's words to a label.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contributions {
    /// The label.
    pub label: String,
    /// Its probability for the whole text.
    pub probability: f64,
    /// The words in order; those past [`MAX_WORDS`] are left out.
    pub words: Vec<WordContribution>,
    /// True if words were left out, or the text was longer than the model reads.
    pub truncated: bool,
    /// Timing of the call.
    pub timing: Timing,
}

/// Maximum number of words left out in turn, each in its own run: the cost grows with the square of the
/// length.
pub const MAX_WORDS: usize = 64;

impl TextClassification {
    /// Leaves out one word of the text at a time. `label` defaults to the most probable one. `progress` gets
    /// the number of finished texts and may stop the call.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a label that the model doesn't have, [`Error::Aborted`] if `progress` stopped the call.
    pub async fn contributions_with(
        &mut self,
        text: &str,
        label: Option<&str>,
        mut progress: impl AsyncFnMut(usize) -> ControlFlow<()>,
    ) -> Result<Contributions> {
        let mut stopwatch = Stopwatch::start();
        if let Some(label) = label.filter(|label| !self.0.config.labels.iter().any(|known| known == label)) {
            let known = self.0.config.labels.join(", ");
            return Err(Error::invalid_input("label", format!("the model has no {label:?}, only {known}")));
        }
        let all = words(text);
        let words = &all[..all.len().min(MAX_WORDS)];
        let unknown = unknown_ranges(self.0.tokenizer()?, text)?;
        let config = self.0.config.clone();
        let (mut rows, mut truncated) = (Vec::with_capacity(words.len() + 1), all.len() > words.len());
        let encode = |model: &Model, index: usize| {
            // First the whole text, then the text without each word.
            let text = match index.checked_sub(1).map(|word| &words[word]) {
                None => text.to_owned(),
                Some(word) => without(text, word),
            };
            sequence::encode(model.tokenizer()?, &text, None, model.max_length())
        };
        let mut take = |encoded: &Encoded, outputs: &Outputs| {
            truncated |= encoded.truncated;
            rows.push(super::text_classification::label_probabilities(
                &config,
                &output(outputs, "logits")?.data,
            )?);
            Ok(())
        };
        self.0.run_many(words.len() + 1, &encode, &mut take, &mut progress, &mut stopwatch).await?;
        let whole = rows.first().ok_or_else(|| Error::internal("contributions", "a text gave no result"))?;
        let label = label.or(whole.first().map(|best| best.label.as_str())).unwrap_or_default().to_owned();
        let of = |row: &[crate::task::classification::Label]| {
            row.iter().find(|one| one.label == label).map_or(0.0, |one| one.probability)
        };
        let (probability, units) = (of(whole), Utf16Index::new(text));
        let contribution = |(bytes, row): (&Range<usize>, &Vec<_>)| WordContribution {
            text: text[bytes.clone()].to_owned(),
            start_utf16: units.units(bytes.start),
            end_utf16: units.units(bytes.end),
            start_byte: bytes.start,
            end_byte: bytes.end,
            contribution: probability - of(row),
            unknown: unknown.iter().any(|piece| piece.start < bytes.end && bytes.start < piece.end),
        };
        let words = words.iter().zip(&rows[1..]).map(contribution).collect();
        stopwatch.postprocessed();
        Ok(Contributions { label, probability, words, truncated, timing: stopwatch.timing() })
    }
}

/// The byte ranges of a text's words.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, character) in text.char_indices().chain([(text.len(), ' ')]) {
        match (start, character.is_whitespace()) {
            (None, false) => start = Some(at),
            (Some(first), true) => {
                found.push(first..at);
                start = None;
            }
            _ => {}
        }
    }
    found
}

/// The text without a word and the white space before it.
fn without(text: &str, word: &Range<usize>) -> String {
    format!("{}{}", text[..word.start].trim_end(), &text[word.end..])
}

/// The byte ranges of pieces that aren't in the vocabulary.
fn unknown_ranges(tokenizer: &Tokenizer, text: &str) -> Result<Vec<Range<usize>>> {
    let unknown = tokenizer.special().unknown;
    let pieces = tokenizer.encode_with_special_tokens(text)?;
    Ok(pieces.iter().filter(|piece| piece.id == unknown).map(|piece| piece.range()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_white_space_separates_and_leaving_one_out_leaves_no_gap() {
        let text = " Not\u{a0}bad,\n at  all! ";
        let found: Vec<&str> = words(text).into_iter().map(|word| &text[word]).collect();
        assert_eq!(found, ["Not", "bad,", "at", "all!"]);
        let left: Vec<String> = words(text).iter().map(|word| without(text, word)).collect();
        assert_eq!(left[0], "\u{a0}bad,\n at  all! ");
        assert_eq!(left[1], " Not\n at  all! ");
        assert_eq!(left[3], " Not\u{a0}bad,\n at ");
        assert!(words("").is_empty() && words(" \n").is_empty());
    }
}
