//! Collects the answers of a text, window by window, in any order.

use std::collections::BTreeMap;

use super::answer::{Answer, Answers, Merge, NoAnswer, SearchOptions, Variant};
use super::costs::deduct;
use super::groups::{Group, Scored, group};
use super::rank::{BestSpans, BestTexts, Rank};
use super::spans::{DisjointSpans, RankedSpans, Span, log_add, log_sum_exp};
use crate::config::SpanCosts;
use crate::error::{Error, Result};
use crate::sorting::sort_by;
use crate::text::windows::Window;
use crate::text::{Utf16Index, whole_characters};

/// Number of spans of a text that are considered as variants of its answers: as many as the requested
/// answers, but within these limits.
const CANDIDATES: std::ops::RangeInclusive<usize> = 256..=4096;

/// Up to this many answers, [`SearchOptions::top_k`] doesn't change the search, only where the list ends.
const ANSWERS: usize = 16;

/// A window's contribution to the probabilities.
#[derive(Clone, Copy, Debug)]
struct WindowTotals {
    /// ln Σ exp(score / temperature) over the window's spans.
    spans: f64,
    /// Sum of the logits at `[CLS]`.
    null: f64,
}

/// Collects the answers from one context. [`Search::answers`] may be called at any time. Its result depends
/// on which windows were added, but not on their order: it is bit-identical.
#[derive(Clone, Debug)]
pub struct Search<'a> {
    context: &'a str,
    units: Utf16Index<'a>,
    options: SearchOptions,
    temperature: f64,
    null_bias: f64,
    span_costs: SpanCosts,
    totals: BTreeMap<usize, WindowTotals>,
    /// The best span of each text; if overlapping spans merge, only of spans that don't overlap within a
    /// window.
    texts: BestTexts<'a>,
    /// The best spans overall, if several of them can be merged into one answer.
    spans: BestSpans,
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
        let texts = match options.merge {
            Merge::Overlapping => options.top_k.max(ANSWERS).saturating_mul(4),
            Merge::Never | Merge::EqualTexts => options.top_k,
        };
        Ok(Self {
            context,
            units: Utf16Index::new(context),
            options,
            temperature: 1.0,
            null_bias: 0.0,
            span_costs: SpanCosts::default(),
            totals: BTreeMap::new(),
            texts: BestTexts::new(context, texts),
            spans: BestSpans::new(candidates(&options)),
        })
    }

    /// Divides scores by a positive temperature before they become probabilities. Call it before adding
    /// windows.
    pub fn with_temperature(self, temperature: f64) -> Self {
        Search { temperature, ..self }
    }

    /// Adds a number to the null score, after its division by the temperature, before it becomes a
    /// probability. With −∞, the probabilities assume that the text answers the question.
    pub fn with_null_bias(self, null_bias: f64) -> Self {
        Search { null_bias, ..self }
    }

    /// Deducts the costs of a span's length from its score. Call it before adding windows.
    pub fn with_span_costs(self, span_costs: SpanCosts) -> Self {
        Search { span_costs, ..self }
    }

    /// Adds a window's logits, one per token of `window.ids`. Does nothing if the window was already added.
    ///
    /// # Errors
    /// [`Error::Internal`] if the number of logits is wrong, [`Error::Tensor`] if they contain NaN or +∞; the
    /// search is then unchanged.
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
        let (start, end) = deduct(&self.span_costs, self.context, window.pieces, start, end);
        let (start, end) = (start.as_ref(), end.as_ref());
        let longest = self.options.max_answer_tokens;
        let spans = log_sum_exp(start, end, &window.max_context, longest, self.temperature);
        self.totals.insert(window.index, WindowTotals { spans, null });
        let ranked = || RankedSpans::new(start, end, &window.max_context, longest);
        if self.options.merge == Merge::Overlapping {
            let disjoint = DisjointSpans::new(start, end, &window.max_context, longest);
            self.keep_texts(window, disjoint.take(self.options.top_k.max(ANSWERS)));
        } else {
            self.keep_texts(window, ranked());
        }
        if self.options.merge != Merge::Never {
            for span in ranked().take(candidates(&self.options)) {
                if self.spans.excludes(span.score) {
                    break;
                }
                if let Some(rank) = self.rank(window, span) {
                    self.spans.keep(rank);
                }
            }
        }
        Ok(())
    }

    /// The best answers in the windows added so far.
    pub fn answers(&self) -> Answers {
        let null = self.totals.values().map(|window| window.null).fold(f64::INFINITY, f64::min);
        let null = if self.totals.is_empty() { f64::NEG_INFINITY } else { null };
        let scaled = |score: f64| score / self.temperature;
        let biased = scaled(null) + self.null_bias;
        let total = self.totals.values().fold(biased, |total, window| log_add(total, window.spans));
        let share = |score: f64| if score == f64::NEG_INFINITY { 0.0 } else { (score - total).exp() };
        let probability = |score: f64| share(scaled(score));
        let mut ranks: Vec<Rank> = self.texts.iter().chain(self.spans.iter()).cloned().collect();
        sort_by(&mut ranks, |a, b| b.cmp(a));
        ranks.dedup();
        let overlapping = self.options.merge == Merge::Overlapping;
        let mut groups = group(self.context, &ranks, overlapping, probability);
        if self.options.merge == Merge::EqualTexts {
            // Stable: of equally probable answers, the one with the better span stays first.
            sort_by(&mut groups, |a, b| b.probability.total_cmp(&a.probability));
        }
        let answers = groups.iter().take(self.options.top_k).filter_map(|group| self.answer(group));
        Answers {
            answers: answers.collect(),
            no_answer: NoAnswer { probability: share(biased), score: null },
            windows: self.totals.len(),
        }
    }

    /// Keeps spans of a window, given best first, as separate answers.
    fn keep_texts(&mut self, window: &Window<'_>, spans: impl Iterator<Item = Span>) {
        for span in spans {
            if self.texts.excludes(span.score) {
                break;
            }
            if let Some(rank) = self.rank(window, span) {
                self.texts.keep(rank);
            }
        }
    }

    fn rank(&self, window: &Window<'_>, span: Span) -> Option<Rank> {
        let pieces = (window.first_piece + span.start, window.first_piece + span.end);
        let (first, last) = (window.pieces.get(span.start)?, window.pieces.get(span.end)?);
        let mut bytes = first.start..last.end;
        if self.options.align_to_words {
            let before = window.context.get(..pieces.0)?.iter().rev();
            let after = window.context.get(pieces.1..)?.iter();
            let first = before.take_while(|piece| piece.word == first.word).last().unwrap_or(first);
            let last = after.take_while(|piece| piece.word == last.word).last().unwrap_or(last);
            bytes = first.start..last.end;
        }
        Some(Rank { score: span.score, bytes: whole_characters(self.context, bytes), pieces })
    }

    fn answer(&self, group: &Group) -> Option<Answer> {
        let variants: Vec<Variant> = group.variants.iter().map(|scored| self.variant(scored)).collect();
        let Variant { text, start_utf16, end_utf16, start_byte, end_byte, score, .. } =
            variants.first()?.clone();
        // Sums of rounded probabilities can exceed 1.
        let probability = group.probability.min(1.0);
        Some(Answer { text, start_utf16, end_utf16, start_byte, end_byte, probability, score, variants })
    }

    fn variant(&self, scored: &Scored) -> Variant {
        let Scored { bytes, score, probability } = scored;
        let units = self.units.range(bytes);
        Variant {
            text: self.context.get(bytes.clone()).unwrap_or_default().to_owned(),
            start_utf16: units.start,
            end_utf16: units.end,
            start_byte: bytes.start,
            end_byte: bytes.end,
            probability: probability.min(1.0),
            score: *score,
        }
    }
}

/// Number of spans to consider as variants.
fn candidates(options: &SearchOptions) -> usize {
    options.top_k.clamp(*CANDIDATES.start(), *CANDIDATES.end())
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
