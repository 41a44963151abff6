//! A sliding span over a long text, and for each piece, the position that shows it with the most context.

use std::ops::Range;

/// Overlapping spans of pieces that cover a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sliding {
    /// Pieces of the text.
    total: usize,
    /// Pieces per span, at least 1.
    capacity: usize,
    /// Pieces from the start of a span to the start of the next, at least 1.
    step: usize,
}

impl Sliding {
    /// Spans of `capacity` pieces over `total`, with starts `step` pieces apart, or closer if there would be
    /// gaps.
    pub fn new(total: usize, capacity: usize, step: usize) -> Self {
        let capacity = capacity.max(1);
        Self { total, capacity, step: step.clamp(1, capacity) }
    }

    /// Number of spans, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "there is always a span")]
    pub fn len(&self) -> usize {
        1 + self.total.saturating_sub(self.capacity).div_ceil(self.step)
    }

    /// The span with this index.
    pub fn span(&self, index: usize) -> Range<usize> {
        let start = index.saturating_mul(self.step).min(self.total);
        start..start.saturating_add(self.capacity).min(self.total)
    }

    /// For each piece of a span, whether this span shows it with the most context.
    pub fn max_context(&self, index: usize) -> Vec<bool> {
        self.span(index).map(|piece| self.best(piece) == index).collect()
    }

    /// The span that shows a piece with the most context. BERT's score is the minimum of the number of pieces to its left
    /// and right plus 0.01 times the span's length; the first span with the maximum score wins.
    pub fn best(&self, piece: usize) -> usize {
        // Spans have at most `capacity` pieces, so earlier ones end before this piece.
        let first = (piece + 1).saturating_sub(self.capacity).div_ceil(self.step);
        let last = (piece / self.step).min(self.len() - 1);
        let mut best = (first, f64::NEG_INFINITY);
        for index in first..=last {
            let span = self.span(index);
            let around = (piece - span.start).min(span.end - 1 - piece);
            let score = around as f64 + 0.01 * span.len() as f64;
            if score > best.1 {
                best = (index, score);
            }
        }
        best.0
    }
}
