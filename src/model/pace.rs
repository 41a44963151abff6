//! How many windows of a long text share a run: what the device has shown to be quicker.
//!
//! A GPU with room to spare computes four windows in little more than the time of one; a small one, and a CPU, gain
//! nothing and only show partial answers later. No table of devices knows which is which, so the first windows tell.

/// Runs of each size: the first makes plan and buffers and is not counted, the quickest of the others is.
const RUNS: usize = 3;

/// Sizes tried, in order. The largest stays below what a plan of 512 tokens may take of WebGPU's guaranteed limits.
const SIZES: [usize; 2] = [1, 4];

/// What a batch must save, so that a tie goes to the smaller one.
const GAIN: f64 = 0.9;

/// Times runs until it knows the better size; kept from call to call.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    runs: [usize; SIZES.len()],
    /// Milliseconds a token, the quickest counted run.
    quickest: [Option<f64>; SIZES.len()],
}

impl Pace {
    /// Windows that the next run should take, of `left` that are to be read.
    pub fn next(&self, left: usize) -> usize {
        let trying = SIZES.iter().zip(self.runs).find(|&(&size, runs)| runs < RUNS && size <= left);
        let size = trying.map_or_else(|| self.best(), |(&size, _)| size);
        size.min(left).max(1)
    }

    /// Notes a run of `windows` windows with `tokens` tokens in all. Sizes that are not tried, such as a text's last few
    /// windows, tell nothing.
    pub fn note(&mut self, windows: usize, tokens: usize, milliseconds: f64) {
        let Some(index) = SIZES.iter().position(|&size| size == windows) else { return };
        self.runs[index] += 1;
        if self.runs[index] > 1 {
            let each = milliseconds / tokens.max(1) as f64;
            let quickest = &mut self.quickest[index];
            *quickest = Some(quickest.map_or(each, |before| before.min(each)));
        }
    }

    fn best(&self) -> usize {
        match self.quickest {
            [Some(single), Some(batch)] if batch < GAIN * single => SIZES[1],
            _ => SIZES[0],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `total` windows on a device that takes `cost(windows)` milliseconds; returns the sizes of the runs.
    fn read(pace: &mut Pace, total: usize, cost: impl Fn(usize) -> f64) -> Vec<usize> {
        let mut sizes = Vec::new();
        let mut left = total;
        while left > 0 {
            let size = pace.next(left);
            pace.note(size, size * 384, cost(size));
            sizes.push(size);
            left -= size;
        }
        sizes
    }

    #[test]
    fn a_device_that_gains_reads_in_batches_after_the_trial() {
        let sizes = read(&mut Pace::default(), 25, |_| 10.0);
        assert_eq!(sizes, [1, 1, 1, 4, 4, 4, 4, 4, 2]);
    }

    #[test]
    fn a_device_that_gains_nothing_goes_back_to_single_windows() {
        let sizes = read(&mut Pace::default(), 18, |size| 10.0 * size as f64);
        assert_eq!(sizes, [1, 1, 1, 4, 4, 4, 1, 1, 1]);
    }

    #[test]
    fn a_trial_goes_on_in_the_next_text_and_its_first_runs_do_not_count() {
        let mut pace = Pace::default();
        let slow_first = std::cell::Cell::new(true);
        let cost = |size: usize| if size == 4 && slow_first.replace(false) { 9e9 } else { 10.0 };
        assert_eq!(read(&mut pace, 4, cost), [1, 1, 1, 1]);
        assert_eq!(read(&mut pace, 3, cost), [1, 1, 1]);
        assert_eq!(read(&mut pace, 16, cost), [4, 4, 4, 4]);
    }

    #[test]
    fn never_more_than_there_are_and_never_none() {
        let mut pace = Pace::default();
        for left in 1..9 {
            assert!((1..=left).contains(&pace.next(left)));
            pace.note(4, 100, 0.0);
            pace.note(1, 100, f64::NAN);
        }
    }
}
