//! The costs of a span's length.

use std::borrow::Cow;

use crate::config::SpanCosts;
use crate::text::Piece;

/// A window's logits, such that the sum of a span's start and end is its score minus the costs of its length.
///
/// The costs of a span are a sum over its adjacent tokens, so they are a difference of running sums: the one up to
/// the span's start is added to the start logit, the one up to its end is subtracted from the end logit.
pub(super) fn deduct<'a>(
    costs: &SpanCosts,
    context: &str,
    pieces: &[Piece],
    start: &'a [f32],
    end: &'a [f32],
) -> (Cow<'a, [f32]>, Cow<'a, [f32]>) {
    if *costs == SpanCosts::default() {
        return (start.into(), end.into());
    }
    let mut sum = 0.0;
    let between = pieces.iter().zip(pieces.iter().skip(1)).map(|(before, after)| {
        let sentence = if ends_sentence(context, before, after) { costs.sentence } else { 0.0 };
        sum += costs.token + sentence;
        sum
    });
    let sums: Vec<f64> = std::iter::once(0.0).chain(between).collect();
    let shifted = |logits: &[f32], sign: f64| {
        logits.iter().zip(&sums).map(|(&logit, sum)| (f64::from(logit) + sign * sum) as f32).collect()
    };
    (Cow::Owned(shifted(start, 1.0)), Cow::Owned(shifted(end, -1.0)))
}

/// Whether a line ends between two adjacent pieces, or a sentence, or the name of a speaker: a full stop, an exclamation
/// mark, a question mark or a colon before a space.
fn ends_sentence(context: &str, before: &Piece, after: &Piece) -> bool {
    let gap = context.get(before.end..after.start).unwrap_or_default();
    let mark = context.get(before.range()).is_some_and(|text| text.ends_with(['.', '!', '?', ':']));
    gap.contains('\n') || (mark && !gap.is_empty())
}
