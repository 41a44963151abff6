//! The options of a search, and its answers.

use serde::Serialize;

use crate::config::Calibration;

/// Which spans are merged into one answer, with their summed probability.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Merge {
    /// None: an answer is the best span with its text, as in BERT's code.
    Never,
    /// Those with the same text, as in the question-answering pipeline of `transformers`.
    EqualTexts,
    /// Those that overlap or have the same text.
    #[default]
    Overlapping,
}

/// Options of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchOptions {
    /// Maximum number of answers, at least 1.
    pub top_k: usize,
    /// Maximum length of an answer in tokens, at least 1.
    pub max_answer_tokens: usize,
    /// Which spans are merged into one answer.
    pub merge: Merge,
    /// Whether spans are extended to whole words: `300km` instead of `300`. A word is a run of letters and
    /// digits, or one punctuation mark, as for `align_to_words` in `transformers`.
    pub align_to_words: bool,
}

impl Default for SearchOptions {
    fn default() -> Self {
        Self { top_k: 1, max_answer_tokens: 30, merge: Merge::Overlapping, align_to_words: true }
    }
}

impl SearchOptions {
    /// Options for the best span exactly as the model scores it, as used by the SQuAD metrics.
    pub fn best_span(max_answer_tokens: usize) -> Self {
        Self { top_k: 1, max_answer_tokens, merge: Merge::Never, align_to_words: false }
    }
}

/// An answer: its best span, `context[start_byte..end_byte] == text`, and its variants.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// The answer, as in the context.
    pub text: String,
    /// First unit in UTF-16.
    pub start_utf16: usize,
    /// One past the last unit in UTF-16.
    pub end_utf16: usize,
    /// First byte in UTF-8.
    pub start_byte: usize,
    /// One past the last byte in UTF-8.
    pub end_byte: usize,
    /// Sum of the variants' probabilities, between 0 and 1.
    pub probability: f64,
    /// Start logit plus end logit of the best span, minus the costs of its length.
    pub score: f64,
    /// The spans merged into this answer, best first, starting with the best span itself.
    pub variants: Vec<Variant>,
}

/// A span of the context that is part of an answer: `context[start_byte..end_byte] == text`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Variant {
    /// The text, as in the context.
    pub text: String,
    /// First unit in UTF-16.
    pub start_utf16: usize,
    /// One past the last unit in UTF-16.
    pub end_utf16: usize,
    /// First byte in UTF-8.
    pub start_byte: usize,
    /// One past the last byte in UTF-8.
    pub end_byte: usize,
    /// Probability among all spans and the null answer, between 0 and 1.
    pub probability: f64,
    /// Start logit plus end logit, minus the costs of the length.
    pub score: f64,
}

/// The null answer: the text doesn't answer the question.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct NoAnswer {
    /// Between 0 and 1.
    pub probability: f64,
    /// Minimum over all windows of the sum of the logits at `[CLS]`.
    pub score: f64,
}

impl NoAnswer {
    /// SQuAD v2.0's score difference: the null score minus the best score among `answers`. Above a threshold, usually 0,
    /// the question counts as unanswerable.
    pub fn difference(&self, answers: &[Answer]) -> f64 {
        let best = answers.iter().map(|answer| answer.score).fold(f64::NEG_INFINITY, f64::max);
        if best == self.score { 0.0 } else { self.score - best }
    }
}

/// The answers after some or all windows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answers {
    /// Answers with distinct texts, in the order of their best spans; with [`Merge::EqualTexts`], most
    /// probable first. Empty only if every span has a score of −∞.
    pub answers: Vec<Answer>,
    /// The null answer.
    pub no_answer: NoAnswer,
    /// Number of windows read.
    pub windows: usize,
}

/// The decision between an answer, a guess and no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The first answer.
    Answer,
    /// The first answer is only a guess: its probability is below the threshold in the model's `calibration`.
    Unsure,
    /// The text doesn't answer the question.
    NoAnswer,
}

impl NoAnswer {
    /// Decides between the first of `answers` and no answer, according to the model's calibration.
    pub fn verdict(&self, answers: &[Answer], calibration: &Calibration) -> Verdict {
        let Some(first) = answers.first() else { return Verdict::NoAnswer };
        let unanswerable = match calibration.null_threshold {
            Some(threshold) => self.difference(answers) > threshold,
            None => self.probability > first.probability,
        };
        if unanswerable {
            Verdict::NoAnswer
        } else if first.probability < calibration.unsure_below {
            Verdict::Unsure
        } else {
            Verdict::Answer
        }
    }
}

impl Answers {
    /// SQuAD v2.0's score difference; see [`NoAnswer::difference`].
    pub fn null_difference(&self) -> f64 {
        self.no_answer.difference(&self.answers)
    }
}
