//! Determines which candidates can be used and how long each takes. Independent of devices: a [`Stage`] runs
//! them.

use super::{Candidate, RuledOut, Timing, reason_of};
use crate::error::{Error, Result};

/// Measured runs of a candidate at each length, after a warm-up run; the fastest counts.
const RUNS: usize = 2;

/// A run is stretched to about this many milliseconds, so that coarse clocks and noise matter little. If two
/// layers take longer, they are run only once.
const STRETCHED_MS: f64 = 100.0;

/// Runs two layers of a network on any candidate.
pub trait Stage {
    /// Layers of the whole network.
    fn layers(&self) -> usize;

    /// Compares the results of a candidate with those of the CPU.
    async fn prove(&mut self, candidate: Candidate) -> Result<()>;

    /// Milliseconds of a run over `tokens` tokens in which the steps of a layer are run `times` times.
    async fn run(&mut self, candidate: Candidate, tokens: usize, times: usize) -> Result<f64>;

    /// Replaces a lost device.
    async fn replace_device(&mut self) -> Result<()>;
}

/// Result of a measurement.
#[derive(Debug, Default)]
pub struct Outcome {
    /// By length.
    pub timings: Vec<Timing>,
    /// Candidates without times.
    pub ruled_out: Vec<RuledOut>,
}

/// A candidate that failed.
struct Failure {
    candidate: Candidate,
    error: Error,
}

/// Proves and times the candidates. If one fails, it is ruled out, and the others start over, on a new device
/// if it was lost.
///
/// # Errors
/// If the CPU fails, or if a lost device can't be replaced although only a GPU may be used.
pub async fn measure(stage: &mut impl Stage, candidates: &[Candidate], lengths: &[usize]) -> Result<Outcome> {
    let mut left = candidates.to_vec();
    let mut outcome = Outcome::default();
    // Without the GPU, there is nothing to compare.
    while left.iter().any(|candidate| *candidate != Candidate::Cpu) {
        let Failure { candidate, error } = match attempt(stage, &left, lengths).await {
            Ok(timings) => return Ok(Outcome { timings, ..outcome }),
            Err(failure) if failure.candidate == Candidate::Cpu => return Err(failure.error),
            Err(failure) => failure,
        };
        left.retain(|other| *other != candidate);
        outcome.ruled_out.push(RuledOut { candidate, reason: reason_of(&error) });
        if let Error::DeviceLost { .. } = error
            && let Err(error) = stage.replace_device().await
        {
            let gone = left.iter().filter(|other| **other != Candidate::Cpu);
            outcome
                .ruled_out
                .extend(gone.map(|&candidate| RuledOut { candidate, reason: reason_of(&error) }));
            break;
        }
    }
    Ok(outcome)
}

async fn attempt(
    stage: &mut impl Stage,
    candidates: &[Candidate],
    lengths: &[usize],
) -> Result<Vec<Timing>, Failure> {
    for &candidate in candidates.iter().filter(|candidate| **candidate != Candidate::Cpu) {
        stage.prove(candidate).await.map_err(|error| Failure { candidate, error })?;
    }
    let mut timings = Vec::with_capacity(lengths.len());
    for &tokens in lengths {
        timings.push(compare(stage, candidates, tokens).await?);
    }
    Ok(timings)
}

/// Times of all candidates at one length. They take turns, so that a device heating up slows down all of
/// them.
async fn compare(stage: &mut impl Stage, candidates: &[Candidate], tokens: usize) -> Result<Timing, Failure> {
    let mut estimates = Vec::with_capacity(candidates.len());
    for &candidate in candidates {
        let failed = |error| Failure { candidate, error };
        let first = stage.run(candidate, tokens, 1).await.map_err(failed)?;
        estimates.push(Estimate::new(first, stage.layers()));
    }
    for _ in 0..RUNS {
        for (&candidate, estimate) in candidates.iter().zip(&mut estimates) {
            let failed = |error| Failure { candidate, error };
            if estimate.more == 0 {
                continue;
            }
            let plain = stage.run(candidate, tokens, 1).await.map_err(failed)?;
            let stretched = stage.run(candidate, tokens, 1 + estimate.more).await.map_err(failed)?;
            estimate.note(plain, stretched);
        }
    }
    let mut timing = Timing { tokens, ..Timing::default() };
    for (&candidate, estimate) in candidates.iter().zip(&estimates) {
        timing.set(candidate, estimate.total(stage.layers()));
    }
    Ok(timing)
}

/// Estimates the time of a network from runs of two layers, with one of them repeated.
struct Estimate {
    /// Number of additional repetitions of a layer's steps in a stretched run; 0 if a plain run takes long
    /// enough.
    more: usize,
    plain: f64,
    stretched: f64,
}

impl Estimate {
    /// `first`: milliseconds of a plain run that isn't counted.
    fn new(first: f64, layers: usize) -> Self {
        let more = (STRETCHED_MS / first.max(0.1)) as usize;
        let (plain, stretched) = (f64::INFINITY, f64::INFINITY);
        match more.min(layers.saturating_sub(2).max(1)) {
            0 => Estimate { more: 0, plain: first, stretched: first },
            more => Estimate { more, plain, stretched },
        }
    }

    fn note(&mut self, plain: f64, stretched: f64) {
        self.plain = self.plain.min(plain);
        self.stretched = self.stretched.min(stretched);
    }

    /// Milliseconds of the whole network, including the steps outside of the layers.
    fn total(&self, layers: usize) -> f64 {
        let layer = match self.more {
            // In a long run, the steps before the layers take only a small fraction.
            0 => self.plain / 2.0,
            more => (self.stretched - self.plain).max(0.0) / more as f64,
        };
        let total = self.plain + layer * (layers as f64 - 2.0);
        // In whole microseconds, as it is stored; a clock may read 0 for short times.
        (1e3 * total).round().max(1.0) / 1e3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A device on which a run takes a constant time and one per layer.
    struct Fake {
        layers: usize,
        /// By candidate.
        times: fn(Candidate) -> (f64, f64),
        /// Step of the clock in milliseconds.
        step: f64,
        /// A candidate with wrong results.
        wrong: Option<Candidate>,
        /// A candidate that loses the device when it is timed.
        loses: Option<Candidate>,
        comes_back: bool,
        replaced: usize,
        runs: Vec<(Candidate, usize, usize)>,
    }

    impl Fake {
        fn new(times: fn(Candidate) -> (f64, f64)) -> Self {
            Fake {
                layers: 24,
                times,
                step: 0.0,
                wrong: None,
                loses: None,
                comes_back: true,
                replaced: 0,
                runs: Vec::new(),
            }
        }

        fn measure(&mut self) -> Result<Outcome> {
            let all = [Candidate::Chain, Candidate::Tiled, Candidate::Cpu];
            pollster::block_on(measure(self, &all, &[128, 384]))
        }
    }

    impl Stage for Fake {
        fn layers(&self) -> usize {
            self.layers
        }

        async fn prove(&mut self, candidate: Candidate) -> Result<()> {
            if self.wrong == Some(candidate) {
                return Err(Error::unsupported("this schedule", "its results are wrong"));
            }
            Ok(())
        }

        async fn run(&mut self, candidate: Candidate, tokens: usize, times: usize) -> Result<f64> {
            if self.loses == Some(candidate) {
                return Err(Error::DeviceLost { reason: "it hung".into() });
            }
            let first = self.runs.iter().all(|run| (run.0, run.1) != (candidate, tokens));
            self.runs.push((candidate, tokens, times));
            let (constant, layer) = (self.times)(candidate);
            let exact = constant + layer * (1 + times) as f64 + if first { 3.0 } else { 0.0 };
            Ok(if self.step > 0.0 { (exact / self.step).floor() * self.step } else { exact })
        }

        async fn replace_device(&mut self) -> Result<()> {
            self.replaced += 1;
            let gone = || Error::unsupported("the GPU", "WebGPU found no adapter");
            if self.comes_back { Ok(()) } else { Err(gone()) }
        }
    }

    fn times(candidate: Candidate) -> (f64, f64) {
        match candidate {
            Candidate::Chain => (1.0, 0.2),
            Candidate::Tiled => (1.0, 0.5),
            Candidate::Cpu => (0.5, 4.0),
        }
    }

    #[test]
    fn the_time_of_all_layers_follows_from_that_of_two() {
        let outcome = Fake::new(times).measure().unwrap();
        for timing in &outcome.timings {
            let close = |found: Option<f64>, expected: f64| (found.unwrap() / expected - 1.0).abs() < 1e-9;
            assert!(close(timing.chain, 1.0 + 24.0 * 0.2), "{timing:?}");
            assert!(close(timing.tiled, 1.0 + 24.0 * 0.5), "{timing:?}");
            assert!(close(timing.cpu, 0.5 + 24.0 * 4.0), "{timing:?}");
        }
        assert_eq!(outcome.timings.iter().map(|timing| timing.tokens).collect::<Vec<_>>(), [128, 384]);
    }

    #[test]
    fn a_clock_of_whole_milliseconds_is_fine_enough() {
        let mut fake = Fake { step: 1.0, ..Fake::new(times) };
        let timing = &fake.measure().unwrap().timings[0];
        assert!((timing.cpu.unwrap() / 96.5 - 1.0).abs() < 0.1, "{timing:?}");
        assert!(timing.chain.unwrap() < timing.tiled.unwrap(), "{timing:?}");
    }

    #[test]
    fn candidates_take_turns_and_a_slow_one_runs_once() {
        let mut fake = Fake::new(|candidate| match candidate {
            Candidate::Cpu => (0.0, 200.0),
            other => times(other),
        });
        let outcome = fake.measure().unwrap();
        let order: Vec<Candidate> = fake.runs.iter().filter(|run| run.1 == 128).map(|run| run.0).collect();
        use Candidate::{Chain, Cpu, Tiled};
        assert_eq!(order, [Chain, Tiled, Cpu, Chain, Chain, Tiled, Tiled, Chain, Chain, Tiled, Tiled]);
        assert!((outcome.timings[0].cpu.unwrap() / 4800.0 - 1.0).abs() < 0.01);
    }

    #[test]
    fn a_schedule_with_wrong_results_is_ruled_out_and_never_timed() {
        let mut fake = Fake { wrong: Some(Candidate::Chain), ..Fake::new(times) };
        let outcome = fake.measure().unwrap();
        assert_eq!(outcome.ruled_out.len(), 1);
        assert_eq!(outcome.ruled_out[0].candidate, Candidate::Chain);
        assert_eq!(outcome.ruled_out[0].reason, "its results are wrong");
        assert!(outcome.timings[0].chain.is_none() && outcome.timings[0].tiled.is_some());
        assert!(fake.runs.iter().all(|run| run.0 != Candidate::Chain));
    }

    #[test]
    fn a_schedule_that_loses_the_device_is_ruled_out_and_the_others_run_on_a_new_one() {
        let mut fake = Fake { loses: Some(Candidate::Chain), ..Fake::new(times) };
        let outcome = fake.measure().unwrap();
        assert_eq!(fake.replaced, 1);
        assert!(outcome.ruled_out[0].reason.contains("it hung"), "{outcome:?}");
        assert!(outcome.timings[1].tiled.is_some(), "{outcome:?}");
    }

    #[test]
    fn without_a_new_device_every_schedule_of_the_gpu_is_ruled_out() {
        let mut fake = Fake { loses: Some(Candidate::Tiled), comes_back: false, ..Fake::new(times) };
        let outcome = fake.measure().unwrap();
        assert!(outcome.timings.is_empty());
        let reasons: Vec<&str> = outcome.ruled_out.iter().map(|out| out.reason.as_str()).collect();
        assert_eq!(reasons, ["the GPU was lost: it hung", "WebGPU found no adapter"]);
    }

    #[test]
    fn a_network_of_one_layer_takes_less_than_two() {
        let mut fake = Fake { layers: 1, ..Fake::new(times) };
        let timing = &fake.measure().unwrap().timings[0];
        assert!((timing.cpu.unwrap() - 4.5).abs() < 1e-9, "{timing:?}");
    }
}
