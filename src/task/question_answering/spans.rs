//! The spans of one window: the best ones in order, and the logarithm of the sum of all their exponentials.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::ops::Range;

/// A run of tokens, both ends included, with the sum of its two logits.
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

/// The better span is the greater: higher score, then earlier start, then earlier end.
impl Ord for Span {
    fn cmp(&self, other: &Self) -> Ordering {
        let place = |span: &Span| Reverse((span.start, span.end));
        self.score.total_cmp(&other.score).then_with(|| place(self).cmp(&place(other)))
    }
}

/// All spans of a window from the best to the worst, found as they are asked for: the first costs
/// `tokens × longest`, each further one `longest + log(tokens)`. Spans of score −∞ are left out.
#[derive(Debug)]
pub struct RankedSpans<'a> {
    start: &'a [f32],
    end: &'a [f32],
    longest: usize,
    /// For each start that has spans left its best one.
    heads: BinaryHeap<Span>,
}

impl<'a> RankedSpans<'a> {
    /// `start` and `end` hold the logits of the same tokens, NaN-free; a span begins at a token with `allowed`, and has
    /// at most `longest` tokens.
    pub fn new(start: &'a [f32], end: &'a [f32], allowed: &[bool], longest: usize) -> Self {
        let mut spans = Self { start, end, longest, heads: BinaryHeap::new() };
        let starts = (0..start.len()).filter(|&at| allowed.get(at) == Some(&true));
        let heads: Vec<Span> = starts.filter_map(|at| spans.best_below(at, None)).collect();
        spans.heads = heads.into();
        spans
    }

    /// The best span that begins at `start` and is worse than `bound`.
    fn best_below(&self, start: usize, bound: Option<Span>) -> Option<Span> {
        let first = f64::from(*self.start.get(start)?);
        let ends = reach(start, self.longest, self.end.len());
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

fn reach(start: usize, longest: usize, tokens: usize) -> Range<usize> {
    start..start.saturating_add(longest).min(tokens)
}

/// ln Σ exp(score) over the spans that [`RankedSpans`] yields for the same arguments, in time linear in the number of
/// tokens whatever `longest` is. −∞ if there is none.
///
/// For each start the ends in reach are a sliding range. Its sum is put together from sums that run from the right and
/// from the left to borders `longest` tokens apart: nothing is subtracted, so that nothing cancels, and all sums are
/// kept as logarithms, so that logits of any size pass.
pub fn log_sum_exp(start: &[f32], end: &[f32], allowed: &[bool], longest: usize) -> f64 {
    let tokens = start.len().min(end.len());
    let longest = longest.clamp(1, tokens.max(1));
    let mut from_left = vec![f64::NEG_INFINITY; tokens];
    let mut to_right = from_left.clone();
    for block in (0..tokens).step_by(longest) {
        let block = block..(block + longest).min(tokens);
        let mut sum = f64::NEG_INFINITY;
        for at in block.clone() {
            sum = log_add(sum, f64::from(end[at]));
            from_left[at] = sum;
        }
        sum = f64::NEG_INFINITY;
        for at in block.rev() {
            sum = log_add(sum, f64::from(end[at]));
            to_right[at] = sum;
        }
    }
    let mut total = f64::NEG_INFINITY;
    for at in (0..tokens).filter(|&at| allowed.get(at) == Some(&true)) {
        let last = reach(at, longest, tokens).end - 1;
        let same_block = at / longest == last / longest;
        // A range that begins at a border lies in one block; one cut short by the last token may end inside it.
        let ends = match (same_block, at % longest == 0) {
            (true, true) => from_left[last],
            (true, false) => to_right[at],
            (false, _) => log_add(to_right[at], from_left[last]),
        };
        total = log_add(total, f64::from(start[at]) + ends);
    }
    total
}

/// ln(exp(a) + exp(b)) without overflow.
pub(super) fn log_add(a: f64, b: f64) -> f64 {
    let (small, large) = if a < b { (a, b) } else { (b, a) };
    if small == f64::NEG_INFINITY { large } else { large + (small - large).exp().ln_1p() }
}
