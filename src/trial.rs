//! Autotuning: chooses among candidates by timing them on the device at hand.
//!
//! No table of devices can say whether a GPU has cores to spare for smaller tiles, or room for several
//! windows in one run. So the first runs try each candidate, and the fastest is kept.

/// Runs of each candidate. The first one creates buffers and warms caches, and isn't counted; the fastest of
/// the others is.
const RUNS: usize = 3;

/// The order in which candidates are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// All runs of a candidate before those of the next.
    OneAfterAnother,
    /// One run of each in turn, so that a device heating up slows down all of them.
    Alternating,
}

/// Times runs until the fastest candidate is known. A fixed choice needs no runs.
#[derive(Clone, Debug)]
pub(crate) struct Trial<C> {
    order: Order,
    /// Another candidate is chosen only if its cost is below this fraction of the first one's, so a tie goes
    /// to the first.
    threshold: f64,
    candidates: Vec<Timed<C>>,
    decided: Option<C>,
}

#[derive(Clone, Debug)]
struct Timed<C> {
    candidate: C,
    runs: usize,
    /// Lowest cost of the counted runs.
    cost: f64,
}

impl<C: Copy + PartialEq> Trial<C> {
    /// Tries at least one candidate; the first is the default.
    pub fn new<const N: usize>(candidates: [C; N], order: Order, threshold: f64) -> Self {
        const { assert!(N > 0, "nothing to choose from") }
        let timed = |candidate| Timed { candidate, runs: 0, cost: f64::INFINITY };
        Trial { order, threshold, candidates: candidates.map(timed).to_vec(), decided: None }
    }

    /// The candidate for the next run, one of the `possible` ones during the trial; the default if none is
    /// possible.
    pub fn next(&self, possible: impl Fn(C) -> bool) -> C {
        if let Some(decided) = self.decided {
            return decided;
        }
        let untried = self.candidates.iter().filter(|timed| timed.runs < RUNS && possible(timed.candidate));
        let next = match self.order {
            Order::OneAfterAnother => untried.into_iter().next(),
            Order::Alternating => untried.min_by_key(|timed| timed.runs),
        };
        next.map_or(self.candidates[0].candidate, |timed| timed.candidate)
    }

    /// Records the cost of a run, in any unit. Ignored if it isn't one of the candidates.
    pub fn note(&mut self, candidate: C, cost: f64) {
        let Some(timed) = self.candidates.iter_mut().find(|timed| timed.candidate == candidate) else {
            return;
        };
        timed.runs += 1;
        if timed.runs > 1 {
            timed.cost = timed.cost.min(cost);
        }
        if self.decided.is_none() && self.candidates.iter().all(|timed| timed.runs >= RUNS) {
            self.decided = Some(self.fastest());
        }
    }

    fn fastest(&self) -> C {
        let first = &self.candidates[0];
        let better = self.candidates[1..].iter().filter(|timed| timed.cost < self.threshold * first.cost);
        better.min_by(|a, b| a.cost.total_cmp(&b.cost)).unwrap_or(first).candidate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The candidates chosen for `count` runs on a device where a run costs `cost(run, candidate)`.
    fn runs(order: Order, count: usize, cost: impl Fn(usize, char) -> f64) -> String {
        let mut trial = Trial::new(['a', 'b'], order, 0.95);
        let run = |index| {
            let candidate = trial.next(|_| true);
            trial.note(candidate, cost(index, candidate));
            candidate
        };
        (0..count).map(run).collect()
    }

    #[test]
    fn the_fastest_candidate_is_kept_after_the_trial() {
        let b_wins = |_, candidate| if candidate == 'b' { 1.0 } else { 2.0 };
        let a_wins = |_, candidate| if candidate == 'b' { 2.0 } else { 1.0 };
        assert_eq!(runs(Order::Alternating, 9, b_wins), "abababbbb");
        assert_eq!(runs(Order::Alternating, 9, a_wins), "abababaaa");
        assert_eq!(runs(Order::OneAfterAnother, 9, b_wins), "aaabbbbbb");
        assert_eq!(runs(Order::OneAfterAnother, 9, a_wins), "aaabbbaaa");
    }

    #[test]
    fn neither_a_slow_first_run_nor_a_disturbed_one_decides() {
        let cost = |index, candidate| match (index, candidate) {
            (0..=1, _) | (3, 'b') => 1000.0,
            (_, 'b') => 1.0,
            _ => 2.0,
        };
        assert!(runs(Order::Alternating, 7, cost).ends_with('b'));
    }

    #[test]
    fn ties_and_clocks_that_show_nothing_leave_the_default() {
        for cost in [100.0, 0.0, f64::NAN] {
            assert!(runs(Order::Alternating, 7, |_, _| cost).ends_with('a'), "{cost}");
        }
    }

    #[test]
    fn an_impossible_candidate_waits_and_the_trial_goes_on_later() {
        let mut trial = Trial::new([1, 4], Order::OneAfterAnother, 0.9);
        for _ in 0..5 {
            assert_eq!(trial.next(|size| size <= 2), 1);
            trial.note(1, 10.0);
        }
        for _ in 0..3 {
            assert_eq!(trial.next(|size| size <= 16), 4);
            trial.note(4, 1.0);
        }
        assert_eq!(trial.next(|_| true), 4);
    }

    #[test]
    fn a_run_of_something_else_changes_nothing() {
        let mut trial = Trial::new([1, 4], Order::OneAfterAnother, 0.9);
        trial.note(3, 0.0);
        assert_eq!(trial.next(|_| true), 1);
    }
}
