//! Collects the answers of a text, window by window, in any order.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

use serde::Serialize;

use super::spans::{RankedSpans, log_add, log_sum_exp};
use crate::error::{Error, Result};
use crate::text::windows::Window;
use crate::text::{Utf16Index, whole_characters};

/// Options of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchOptions {
    /// Maximum number of answers, at least 1.
    pub top_k: usize,
    /// Maximum length of an answer in tokens, at least 1.
    pub max_answer_tokens: usize,
}

impl Default for SearchOptions {
    fn default() -> Self {
        Self { top_k: 1, max_answer_tokens: 30 }
    }
}

/// An answer, a span of the context: `context[start_byte..end_byte] == text`.
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
    /// Probability among all spans and the null answer, between 0 and 1.
    pub probability: f64,
    /// Start logit plus end logit.
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
    /// SQuAD v2.0's score difference: the null score minus the score of the best of `answers`, which come best first.
    /// Above a threshold, usually 0, the question counts as unanswerable.
    pub fn difference(&self, answers: &[Answer]) -> f64 {
        let best = answers.first().map_or(f64::NEG_INFINITY, |answer| answer.score);
        if best == self.score { 0.0 } else { self.score - best }
    }
}

/// The answers after some or all windows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answers {
    /// Best first, no text twice. Empty only if every span has a score of −∞.
    pub answers: Vec<Answer>,
    /// The null answer.
    pub no_answer: NoAnswer,
    /// Number of windows read.
    pub windows: usize,
}

impl Answers {
    /// SQuAD v2.0's score difference; see [`NoAnswer::difference`].
    pub fn null_difference(&self) -> f64 {
        self.no_answer.difference(&self.answers)
    }
}

/// Byte range and score of a span. A better span is greater; for equal scores the earlier, then the shorter.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Rank {
    score: f64,
    start: usize,
    end: usize,
}

impl Eq for Rank {}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> Ordering {
        let place = |rank: &Rank| Reverse((rank.start, rank.end));
        self.score.total_cmp(&other.score).then_with(|| place(self).cmp(&place(other)))
    }
}

/// A window's contribution to the probabilities.
#[derive(Clone, Copy, Debug)]
struct WindowTotals {
    /// ln Σ exp(score) over the window's spans.
    spans: f64,
    /// Sum of the logits at `[CLS]`.
    null: f64,
}

/// Collects the answers of one context. [`Search::answers`] may be called at any time. Its result depends on which windows
/// were added, but not on their order, bit for bit.
#[derive(Clone, Debug)]
pub struct Search<'a> {
    context: &'a str,
    units: Utf16Index<'a>,
    options: SearchOptions,
    totals: BTreeMap<usize, WindowTotals>,
    /// The best span of each distinct text, at most `top_k`.
    by_rank: BTreeMap<Rank, &'a str>,
    by_text: BTreeMap<&'a str, Rank>,
}

impl<'a> Search<'a> {
    /// A search over `context`, the text of the windows.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an option of 0.
    pub fn new(context: &'a str, options: SearchOptions) -> Result<Self> {
        for (field, value) in [("top_k", options.top_k), ("max_answer_tokens", options.max_answer_tokens)] {
            if value == 0 {
                return Err(Error::invalid_input(field, "is 0, must be at least 1"));
            }
        }
        Ok(Self {
            context,
            units: Utf16Index::new(context),
            options,
            totals: BTreeMap::new(),
            by_rank: BTreeMap::new(),
            by_text: BTreeMap::new(),
        })
    }

    /// Adds a window's logits, one per token of `window.ids`. Does nothing if the window was already added.
    ///
    /// # Errors
    /// [`Error::Internal`] for logits of another length, [`Error::Tensor`] for NaN or +∞ among them; the search is
    /// unchanged then.
    pub fn add_window(
        &mut self,
        window: &Window<'_>,
        start_logits: &[f32],
        end_logits: &[f32],
    ) -> Result<()> {
        check_logits("start_logits", window, start_logits)?;
        check_logits("end_logits", window, end_logits)?;
        if self.totals.contains_key(&window.index) {
            return Ok(());
        }
        let context = window.context_position..window.context_position + window.pieces.len();
        let (Some(start), Some(end)) = (start_logits.get(context.clone()), end_logits.get(context)) else {
            return Err(Error::internal("answers", "a window's context extends past its tokens"));
        };
        let first = |logits: &[f32]| logits.first().map_or(f64::NEG_INFINITY, |&logit| f64::from(logit));
        let null = first(start_logits) + first(end_logits);
        let longest = self.options.max_answer_tokens;
        let spans = log_sum_exp(start, end, &window.max_context, longest);
        self.totals.insert(window.index, WindowTotals { spans, null });
        for span in RankedSpans::new(start, end, &window.max_context, longest) {
            if self.is_full()
                && self.by_rank.first_key_value().is_some_and(|(worst, _)| span.score < worst.score)
            {
                break;
            }
            let (Some(first), Some(last)) = (window.pieces.get(span.start), window.pieces.get(span.end))
            else {
                continue;
            };
            let range = whole_characters(self.context, first.start..last.end);
            self.keep(Rank { score: span.score, start: range.start, end: range.end });
        }
        Ok(())
    }

    /// The best answers in the windows added so far.
    pub fn answers(&self) -> Answers {
        let null = self.totals.values().map(|window| window.null).fold(f64::INFINITY, f64::min);
        let null = if self.totals.is_empty() { f64::NEG_INFINITY } else { null };
        let total = self.totals.values().fold(null, |total, window| log_add(total, window.spans));
        let probability = |score: f64| if score == f64::NEG_INFINITY { 0.0 } else { (score - total).exp() };
        let answers = self.by_rank.iter().rev().map(|(rank, &text)| {
            let units = self.units.range(&(rank.start..rank.end));
            Answer {
                text: text.to_owned(),
                start_utf16: units.start,
                end_utf16: units.end,
                start_byte: rank.start,
                end_byte: rank.end,
                probability: probability(rank.score),
                score: rank.score,
            }
        });
        Answers {
            answers: answers.collect(),
            no_answer: NoAnswer { probability: probability(null), score: null },
            windows: self.totals.len(),
        }
    }

    fn is_full(&self) -> bool {
        self.by_rank.len() >= self.options.top_k
    }

    /// Keeps a span if it is the best of its text and among the `top_k` best texts. A removed text only comes back with a
    /// better span, so the kept spans are always exactly the best of all spans seen.
    fn keep(&mut self, rank: Rank) {
        let Some(text) = self.context.get(rank.start..rank.end).filter(|text| !text.is_empty()) else {
            return;
        };
        match self.by_text.get(text) {
            Some(known) if *known >= rank => return,
            Some(known) => {
                self.by_rank.remove(known);
            }
            None if self.is_full() => match self.by_rank.first_key_value() {
                Some((worst, _)) if *worst < rank => {
                    if let Some((_, text)) = self.by_rank.pop_first() {
                        self.by_text.remove(text);
                    }
                }
                _ => return,
            },
            None => {}
        }
        self.by_rank.insert(rank, text);
        self.by_text.insert(text, rank);
    }
}

fn check_logits(name: &str, window: &Window<'_>, logits: &[f32]) -> Result<()> {
    if logits.len() != window.ids.len() {
        let problem = format!("{name}: {} values for {} tokens", logits.len(), window.ids.len());
        return Err(Error::internal("answers", problem));
    }
    match logits.iter().position(|logit| logit.is_nan() || *logit == f32::INFINITY) {
        None => Ok(()),
        Some(at) => {
            let problem = format!(
                "is {} at position {at} of window {}; the weights are damaged or too large",
                logits[at], window.index
            );
            Err(Error::tensor(name, problem))
        }
    }
}
