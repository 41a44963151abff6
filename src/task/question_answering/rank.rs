//! The best spans of a text, over all of its windows, in any order.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// A span of the context. Better spans are greater; with equal scores, the earlier, then the shorter one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rank {
    /// Start logit plus end logit, minus the costs of the length.
    pub score: f64,
    /// Byte range in the context.
    pub bytes: Range<usize>,
    /// Indices of the first and the last piece in the context: these distinguish spans with equal bytes.
    pub pieces: (usize, usize),
}

impl Rank {
    fn place(&self) -> Reverse<(usize, usize, (usize, usize))> {
        Reverse((self.bytes.start, self.bytes.end, self.pieces))
    }
}

impl Eq for Rank {}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then_with(|| self.place().cmp(&other.place()))
    }
}

/// The best of all spans seen, at most `capacity`.
#[derive(Clone, Debug)]
pub(super) struct BestSpans {
    capacity: usize,
    ranks: BTreeSet<Rank>,
}

impl BestSpans {
    pub fn new(capacity: usize) -> Self {
        Self { capacity, ranks: BTreeSet::new() }
    }

    /// Returns whether a span with this score can never be kept.
    pub fn excludes(&self, score: f64) -> bool {
        let worst = self.ranks.first().filter(|_| self.ranks.len() >= self.capacity);
        worst.is_some_and(|worst| score < worst.score)
    }

    pub fn keep(&mut self, rank: Rank) {
        self.ranks.insert(rank);
        if self.ranks.len() > self.capacity {
            self.ranks.pop_first();
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Rank> {
        self.ranks.iter()
    }
}

/// The best span of each text, at most `capacity` texts.
#[derive(Clone, Debug)]
pub(super) struct BestTexts<'a> {
    context: &'a str,
    capacity: usize,
    by_rank: BTreeMap<Rank, &'a str>,
    by_text: BTreeMap<&'a str, Rank>,
}

impl<'a> BestTexts<'a> {
    pub fn new(context: &'a str, capacity: usize) -> Self {
        Self { context, capacity, by_rank: BTreeMap::new(), by_text: BTreeMap::new() }
    }

    /// Returns whether a span with this score can never be kept.
    pub fn excludes(&self, score: f64) -> bool {
        let worst = self.by_rank.first_key_value().filter(|_| self.is_full());
        worst.is_some_and(|(worst, _)| score < worst.score)
    }

    /// Keeps a span if it is the best one with its text, and its text is among the best. A removed text only
    /// comes back with a better span, so the kept spans are always exactly the best of all spans seen.
    pub fn keep(&mut self, rank: Rank) {
        let Some(text) = self.context.get(rank.bytes.clone()).filter(|text| !text.is_empty()) else {
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
        self.by_rank.insert(rank.clone(), text);
        self.by_text.insert(text, rank);
    }

    pub fn iter(&self) -> impl Iterator<Item = &Rank> {
        self.by_rank.keys()
    }

    fn is_full(&self) -> bool {
        self.by_rank.len() >= self.capacity
    }
}
