//! Which tiles the linears of a plan are computed in: what the device has shown to be quicker.
//!
//! In wide tiles an operand is read less often; short ones are more, so that a large GPU has work for all of its cores
//! where rows are few. No table of devices knows which weighs more, so the first runs of a plan tell. Both sum up in
//! the same order, so that a result does not depend on the tiles.

/// Runs of each kind: the first is not counted, the quickest of the others is.
const RUNS: usize = 3;

/// What short tiles must save, so that a tie goes to the wide ones.
const GAIN: f64 = 0.95;

/// A kind of tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tile {
    /// Of `linear`.
    Wide,
    /// Of `linear_short`, where `linear` has few.
    Short,
}

/// Times the runs of a plan until it knows the better tiles.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    decided: Option<Tile>,
    runs: [usize; 2],
    /// Milliseconds, of the counted runs.
    quickest: [f64; 2],
}

impl Trial {
    /// A plan's trial, or none where the tiles are known.
    pub(super) fn new(decided: Option<Tile>) -> Self {
        Trial { decided, runs: [0; 2], quickest: [f64::INFINITY; 2] }
    }

    /// The tiles of the next run.
    pub(super) fn next(&self) -> Tile {
        match self.decided {
            Some(tile) => tile,
            None if self.runs[0] <= self.runs[1] => Tile::Wide,
            None => Tile::Short,
        }
    }

    /// Notes how long a run took.
    pub(super) fn note(&mut self, tile: Tile, milliseconds: f64) {
        if self.decided.is_some() {
            return;
        }
        let index = usize::from(tile == Tile::Short);
        self.runs[index] += 1;
        if self.runs[index] > 1 {
            self.quickest[index] = self.quickest[index].min(milliseconds);
        }
        if self.runs.iter().all(|&runs| runs >= RUNS) {
            let [wide, short] = self.quickest;
            self.decided = Some(if short < GAIN * wide { Tile::Short } else { Tile::Wide });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tiles of so many runs on a device that takes `cost` milliseconds.
    fn tiles(runs: usize, cost: impl Fn(usize, Tile) -> f64) -> Vec<Tile> {
        let mut trial = Trial::new(None);
        let mut run = |index| {
            let tile = trial.next();
            trial.note(tile, cost(index, tile));
            tile
        };
        (0..runs).map(&mut run).collect()
    }

    #[test]
    fn the_quicker_tiles_are_kept_after_the_trial() {
        use Tile::{Short, Wide};
        let trial = [Wide, Short, Wide, Short, Wide, Short];
        let found = tiles(9, |_, tile| if tile == Short { 1.0 } else { 2.0 });
        assert_eq!(found, [&trial[..], &[Short; 3]].concat());
        let found = tiles(9, |_, tile| if tile == Short { 2.0 } else { 1.0 });
        assert_eq!(found, [&trial[..], &[Wide; 3]].concat());
    }

    #[test]
    fn neither_a_slow_first_run_nor_one_that_was_disturbed_decides() {
        let found = tiles(7, |index, tile| match (index, tile) {
            (0..=1, _) | (3, Tile::Short) => 1000.0,
            (_, Tile::Short) => 1.0,
            _ => 2.0,
        });
        assert_eq!(found[6], Tile::Short);
    }

    #[test]
    fn a_tie_and_clocks_that_do_not_tell_leave_the_wide_tiles() {
        assert_eq!(tiles(7, |_, _| 100.0)[6], Tile::Wide);
        assert_eq!(tiles(7, |_, _| 0.0)[6], Tile::Wide);
        assert_eq!(tiles(7, |_, _| f64::NAN)[6], Tile::Wide);
    }

    #[test]
    fn what_is_known_is_not_tried() {
        let mut trial = Trial::new(Some(Tile::Short));
        trial.note(Tile::Wide, 0.0);
        assert_eq!(trial.next(), Tile::Short);
    }
}
