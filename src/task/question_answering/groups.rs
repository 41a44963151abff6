//! Spans → answers: spans with the same meaning are variants of one answer.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::rank::Rank;

/// Spans merged into one answer.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// Distinct byte ranges, the best first.
    pub variants: Vec<Scored>,
    /// The sum over the variants.
    pub probability: f64,
}

/// A byte range, with the score of its best span and the probability of all its spans: spans of different
/// tokens can have the same bytes, for example if they are extended to the same words.
#[derive(Clone, Debug)]
pub(super) struct Scored {
    pub bytes: Range<usize>,
    pub score: f64,
    pub probability: f64,
}

/// Groups spans, given best first. The first span of a group represents it; spans with the same text are its
/// variants, and with `overlapping`, so are spans that overlap it. Groups are in the order of their best
/// spans.
pub(super) fn group(
    context: &str,
    ranks: &[Rank],
    overlapping: bool,
    probability: impl Fn(f64) -> f64,
) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut by_text: HashMap<&str, usize> = HashMap::new();
    // Representatives by their first byte. With `overlapping`, they don't overlap each other.
    let mut by_start: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for rank in ranks {
        let Some(text) = context.get(rank.bytes.clone()).filter(|text| !text.is_empty()) else { continue };
        let overlapped = by_start.range(..rank.bytes.end).rev();
        let overlapped = overlapped.map(|(_, &(end, group))| (end, group));
        let overlapped = overlapped.take_while(|&(end, _)| overlapping && end > rank.bytes.start);
        let same = overlapped.map(|(_, group)| group).chain(by_text.get(text).copied()).min();
        let probability = probability(rank.score);
        let scored = Scored { bytes: rank.bytes.clone(), score: rank.score, probability };
        let Some(group) = same.and_then(|index| groups.get_mut(index)) else {
            by_text.insert(text, groups.len());
            by_start.insert(rank.bytes.start, (rank.bytes.end, groups.len()));
            groups.push(Group { variants: vec![scored], probability });
            continue;
        };
        match group.variants.iter_mut().find(|variant| variant.bytes == rank.bytes) {
            Some(variant) => variant.probability += probability,
            None => group.variants.push(scored),
        }
        group.probability += probability;
    }
    groups
}
