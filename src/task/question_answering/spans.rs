//! The spans of one window: the best ones in order, and the log-sum-exp of all scores.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::ops::Range;

/// A run of tokens, including both ends, with its score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// Position of the first token.
    pub start: usize,
    /// Position of the last token.
    pub end: usize,
    /// Start logit plus end logit.
    pub score: f64,
}

impl Eq for Span {}

impl PartialOrd for Span {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A better span is greater: higher score, then earlier start, then earlier end.
impl Ord for Span {
    fn cmp(&self, other: &Self) -> Ordering {
        let place = |span: &Span| Reverse((span.start, span.end));
        self.score.total_cmp(&other.score).then_with(|| place(self).cmp(&place(other)))
    }
}

/// All spans of a window from best to worst, found lazily: the first takes `tokens × max_tokens` steps, each
/// subsequent one `max_tokens + log(tokens)`. Omits spans with a score of −∞.
#[derive(Debug)]
pub struct RankedSpans<'a> {
    start: &'a [f32],
    end: &'a [f32],
    max_tokens: usize,
    /// The best remaining span of each start.
    heads: BinaryHeap<Span>,
}

impl<'a> RankedSpans<'a> {
    /// `start` and `end` are logits of the same tokens, without NaN. A span starts at an `allowed` token and
    /// has at most `max_tokens` tokens.
    pub fn new(start: &'a [f32], end: &'a [f32], allowed: &[bool], max_tokens: usize) -> Self {
        let mut spans = Self { start, end, max_tokens, heads: BinaryHeap::new() };
        let starts = (0..start.len()).filter(|&at| allowed.get(at) == Some(&true));
        let heads: Vec<Span> = starts.filter_map(|at| spans.best_below(at, None)).collect();
        spans.heads = heads.into();
        spans
    }

    /// The best span that starts at `start` and is worse than `bound`, if any.
    fn best_below(&self, start: usize, bound: Option<Span>) -> Option<Span> {
        let first = f64::from(*self.start.get(start)?);
        let ends = reach(start, self.max_tokens, self.end.len());
        let logits = self.end.get(ends.clone())?;
        ends.zip(logits)
            .map(|(end, &logit)| Span { start, end, score: first + f64::from(logit) + 0.0 })
            .filter(|span| span.score > f64::NEG_INFINITY && bound.is_none_or(|bound| *span < bound))
            .max()
    }
}

impl Iterator for RankedSpans<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        let best = self.heads.pop()?;
        if let Some(next) = self.best_below(best.start, Some(best)) {
            self.heads.push(next);
        }
        Some(best)
    }
}

/// The best span of a window, then the best one that doesn't overlap it, and so on: greedily, best first. Each takes at
/// most `tokens × max_tokens` steps.
#[derive(Debug)]
pub struct DisjointSpans<'a> {
    start: &'a [f32],
    end: &'a [f32],
    allowed: &'a [bool],
    max_tokens: usize,
    /// The best span of every remaining range of tokens, with that range.
    best: BinaryHeap<(Span, usize, usize)>,
}

impl<'a> DisjointSpans<'a> {
    /// Takes the arguments of [`RankedSpans::new`].
    pub fn new(start: &'a [f32], end: &'a [f32], allowed: &'a [bool], max_tokens: usize) -> Self {
        let mut spans = Self { start, end, allowed, max_tokens, best: BinaryHeap::new() };
        spans.push(0, start.len().min(end.len()).min(allowed.len()));
        spans
    }

    /// Adds the best span within `from..to`.
    fn push(&mut self, from: usize, to: usize) {
        let (Some(start), Some(end), Some(allowed)) =
            (self.start.get(from..to), self.end.get(from..to), self.allowed.get(from..to))
        else {
            return;
        };
        if let Some(Span { start, end, score }) =
            RankedSpans::new(start, end, allowed, self.max_tokens).next()
        {
            self.best.push((Span { start: from + start, end: from + end, score }, from, to));
        }
    }
}

impl Iterator for DisjointSpans<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        let (span, from, to) = self.best.pop()?;
        self.push(from, span.start);
        self.push(span.end + 1, to);
        Some(span)
    }
}

fn reach(start: usize, max_tokens: usize, tokens: usize) -> Range<usize> {
    start..start.saturating_add(max_tokens).min(tokens)
}

/// ln Σ exp(score / temperature) over the spans that [`RankedSpans`] yields for the same arguments; −∞ if there are none.
/// Takes time linear in the number of tokens, for any `max_tokens`.
///
/// The possible ends of a start are a sliding range. Its sum is composed of prefix and suffix sums within blocks of
/// `max_tokens` tokens: without subtraction there is no cancellation, and as logarithms the sums can't overflow.
pub fn log_sum_exp(start: &[f32], end: &[f32], allowed: &[bool], max_tokens: usize, temperature: f64) -> f64 {
    let scaled = |logit: f32| f64::from(logit) / temperature;
    let tokens = start.len().min(end.len());
    let max_tokens = max_tokens.clamp(1, tokens.max(1));
    let mut from_left = vec![f64::NEG_INFINITY; tokens];
    let mut to_right = from_left.clone();
    for block in (0..tokens).step_by(max_tokens) {
        let block = block..(block + max_tokens).min(tokens);
        let mut sum = f64::NEG_INFINITY;
        for at in block.clone() {
            sum = log_add(sum, scaled(end[at]));
            from_left[at] = sum;
        }
        sum = f64::NEG_INFINITY;
        for at in block.rev() {
            sum = log_add(sum, scaled(end[at]));
            to_right[at] = sum;
        }
    }
    let mut total = f64::NEG_INFINITY;
    for at in (0..tokens).filter(|&at| allowed.get(at) == Some(&true)) {
        let last = reach(at, max_tokens, tokens).end - 1;
        let same_block = at / max_tokens == last / max_tokens;
        // A range that starts at a block boundary is within one block; a range cut short by the last token
        // may end inside it.
        let ends = match (same_block, at % max_tokens == 0) {
            (true, true) => from_left[last],
            (true, false) => to_right[at],
            (false, _) => log_add(to_right[at], from_left[last]),
        };
        total = log_add(total, scaled(start[at]) + ends);
    }
    total
}

/// ln(exp(a) + exp(b)) without overflow.
pub(super) fn log_add(a: f64, b: f64) -> f64 {
    let (small, large) = if a < b { (a, b) } else { (b, a) };
    if small == f64::NEG_INFINITY { large } else { large + (small - large).exp().ln_1p() }
}
