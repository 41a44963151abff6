//! The words of a window, with the probabilities that the answer starts or ends there, and a head's attention
//! between them.
//!
//! The pieces of a word are combined. Its start probability is the sum, over its tokens, of a softmax over
//! the start logits of all tokens of the window, as BERT defines it; `[CLS]` has the probability of "no
//! answer". The attention from one word to another is summed over the second word's tokens and averaged over
//! the first word's, so that the attention from a word adds up to 1, like that from a token.

use std::ops::Range;

use serde::Serialize;

use super::ranking::{check_finite, softmax};
use crate::error::{Error, Result};
use crate::text::windows::Window;
use crate::text::{Piece, Utf16Index, whole_characters};

/// The part of the model's input that a word belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Neither text: `[CLS]` or `[SEP]`.
    Special,
    /// The question.
    Question,
    /// The context.
    Context,
}

/// A word with its probabilities.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Word {
    /// The word as in its text; for a special token, its spelling in the vocabulary.
    pub text: String,
    /// The part that it belongs to. The offsets refer to that text, and are 0 for special tokens.
    pub source: Source,
    /// First unit in UTF-16.
    pub start_utf16: usize,
    /// One past the last unit in UTF-16.
    pub end_utf16: usize,
    /// First byte in UTF-8.
    pub start_byte: usize,
    /// One past the last byte in UTF-8.
    pub end_byte: usize,
    /// Probability that the answer starts with one of its tokens, between 0 and 1.
    pub start_probability: f64,
    /// Probability that the answer ends with one of its tokens, between 0 and 1.
    pub end_probability: f64,
}

/// The words of a window in the order of its tokens. A word, as in BERT's basic tokenizer, is a run of
/// letters and digits or one punctuation mark; a word split by the window's edge has only the part inside the
/// window.
#[derive(Clone, Debug)]
pub struct WindowWords {
    words: Vec<Word>,
    /// The tokens of each word.
    tokens: Vec<Range<usize>>,
}

impl WindowWords {
    /// The words of a window, with probabilities of 0. `spelling` returns the spelling of a special token.
    pub fn new(window: &Window<'_>, question: &str, context: &str, spelling: impl Fn(u32) -> String) -> Self {
        let mut found = WindowWords { words: Vec::new(), tokens: Vec::new() };
        let texts = [
            (Source::Question, window.question_position, window.question, question),
            (Source::Context, window.context_position, window.pieces, context),
        ];
        let mut at = 0;
        for (source, position, pieces, text) in texts {
            found.add_special(window, at..position, &spelling);
            found.add_text(source, position, pieces, text);
            at = position + pieces.len();
        }
        found.add_special(window, at..window.ids.len(), &spelling);
        found
    }

    fn add_special(
        &mut self,
        window: &Window<'_>,
        positions: Range<usize>,
        spelling: impl Fn(u32) -> String,
    ) {
        for (position, id) in positions.clone().zip(window.ids.get(positions).unwrap_or_default()) {
            self.add(position..position + 1, spelling(*id), Source::Special, 0..0, 0..0);
        }
    }

    fn add_text(&mut self, source: Source, position: usize, pieces: &[Piece], text: &str) {
        let units = Utf16Index::new(text);
        let mut first = position;
        for word in pieces.chunk_by(|one, next| one.word == next.word) {
            let tokens = first..first + word.len();
            first = tokens.end;
            let start = word.first().map_or(0, |piece| piece.start);
            let end = word.last().map_or(start, |piece| piece.end);
            let bytes = whole_characters(text, start..end);
            let shown = text.get(bytes.clone()).unwrap_or_default().to_owned();
            self.add(tokens, shown, source, units.range(&bytes), bytes);
        }
    }

    fn add(
        &mut self,
        tokens: Range<usize>,
        text: String,
        source: Source,
        units: Range<usize>,
        bytes: Range<usize>,
    ) {
        self.tokens.push(tokens);
        self.words.push(Word {
            text,
            source,
            start_utf16: units.start,
            end_utf16: units.end,
            start_byte: bytes.start,
            end_byte: bytes.end,
            start_probability: 0.0,
            end_probability: 0.0,
        });
    }

    /// The words, with probabilities from these logits, one per token of the window.
    ///
    /// # Errors
    /// [`Error::Internal`] if the number of logits is wrong, [`Error::Tensor`] if they contain NaN or ±∞.
    pub fn with_probabilities(&self, start_logits: &[f32], end_logits: &[f32]) -> Result<Vec<Word>> {
        let start = self.probabilities("start_logits", start_logits)?;
        let end = self.probabilities("end_logits", end_logits)?;
        let words = self.words.iter().cloned().zip(start.into_iter().zip(end));
        Ok(words
            .map(|(word, (start_probability, end_probability))| Word {
                start_probability,
                end_probability,
                ..word
            })
            .collect())
    }

    fn probabilities(&self, name: &str, logits: &[f32]) -> Result<Vec<f64>> {
        self.check_length(name, logits, self.tokens())?;
        check_finite(name, logits)?;
        let probabilities = softmax(logits);
        let sum = |tokens: &Range<usize>| probabilities[tokens.clone()].iter().sum::<f64>().min(1.0);
        Ok(self.tokens.iter().map(sum).collect())
    }

    /// The attention between words, `[words, words]` in row-major order: a row is the attention from one
    /// word, whose sum is 1. `probabilities` are those of one head, `[tokens, tokens]`.
    ///
    /// # Errors
    /// [`Error::Internal`] if the number of probabilities is wrong, [`Error::Tensor`] if they contain NaN or
    /// ±∞.
    pub fn attention(&self, probabilities: &[f32]) -> Result<Vec<f32>> {
        let tokens = self.tokens();
        self.check_length("attentions", probabilities, tokens * tokens)?;
        check_finite("attentions", probabilities)?;
        let mut between = Vec::with_capacity(self.tokens.len() * self.tokens.len());
        for from in &self.tokens {
            let rows = &probabilities[from.start * tokens..from.end * tokens];
            for to in &self.tokens {
                let given = rows.chunks_exact(tokens).flat_map(|row| &row[to.clone()]);
                let sum: f64 = given.map(|&share| f64::from(share)).sum();
                between.push((sum / from.len() as f64) as f32);
            }
        }
        Ok(between)
    }

    /// Number of tokens of the window.
    fn tokens(&self) -> usize {
        self.tokens.last().map_or(0, |tokens| tokens.end)
    }

    fn check_length(&self, name: &str, values: &[f32], expected: usize) -> Result<()> {
        if values.len() == expected {
            return Ok(());
        }
        let problem = format!("{} values for {} tokens", values.len(), self.tokens());
        Err(Error::internal(name, problem))
    }
}
