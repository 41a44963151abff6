//! In which order to read the windows of a long text: those that share rare words with the question first (BM25 over word
//! pieces). The order changes when an answer is seen, never which.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::ranking::TotalOrder;
use crate::text::windows::Windows;

/// How soon repeating a piece stops counting, BM25's k₁.
const SATURATION: f64 = 1.2;
/// How much a longer window is marked down, BM25's b.
const LENGTH_PENALTY: f64 = 0.75;

/// Numbers of all windows, the most promising first; equal ones in reading order.
/// Linear in the context's length times the windows' overlap.
pub fn order(windows: &Windows<'_>) -> Vec<usize> {
    let mut terms: BTreeMap<u32, usize> = BTreeMap::new();
    for &id in windows.question() {
        let next = terms.len();
        terms.entry(id).or_insert(next);
    }
    let spans: Vec<_> = (0..windows.len()).map(|index| windows.span(index)).collect();
    let mut counts: Vec<Vec<u32>> = Vec::with_capacity(spans.len());
    for span in &spans {
        let mut count = vec![0; terms.len()];
        for piece in windows.context().get(span.clone()).unwrap_or_default() {
            if let Some(seen) = terms.get(&piece.id).and_then(|&term| count.get_mut(term)) {
                *seen += 1;
            }
        }
        counts.push(count);
    }
    let total = spans.len() as f64;
    let rarity: Vec<f64> = (0..terms.len())
        .map(|term| {
            let found =
                counts.iter().filter(|count| count.get(term).is_some_and(|&seen| seen > 0)).count() as f64;
            (1.0 + (total - found + 0.5) / (found + 0.5)).ln()
        })
        .collect();
    let mean_length = spans.iter().map(|span| span.len() as f64).sum::<f64>() / total;
    let score = |index: usize| -> f64 {
        let penalty = 1.0 - LENGTH_PENALTY + LENGTH_PENALTY * spans[index].len() as f64 / mean_length;
        let gain = |seen: f64| seen * (SATURATION + 1.0) / (seen + SATURATION * penalty);
        counts[index].iter().zip(&rarity).map(|(&seen, rarity)| rarity * gain(f64::from(seen))).sum()
    };
    let mut order: Vec<usize> = (0..spans.len()).collect();
    order.sort_by_cached_key(|&index| Reverse(TotalOrder(score(index))));
    order
}
