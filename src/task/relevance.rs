//! The order in which to read the windows of a long text: windows that share rare words with the question first (BM25 over
//! word pieces). It affects how early the answer is found, not the result.

use std::collections::BTreeMap;

use super::ranking::ranked;
use crate::text::windows::Windows;

/// Saturation of repeated pieces, BM25's k₁.
const SATURATION: f64 = 1.2;
/// Penalty for longer windows, BM25's b.
const LENGTH_PENALTY: f64 = 0.75;

/// Indices of all windows, most promising first; ties in reading order. Takes time linear in the total length
/// of all windows.
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
    let scores: Vec<f64> = (0..spans.len()).map(score).collect();
    ranked(&scores).into_iter().map(|(index, _)| index).collect()
}
