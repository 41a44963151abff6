//! The choice among the schedules of a GPU and the CPU, by measuring them.
//!
//! Whether a GPU beats the CPU, and with which schedule, depends on the device: dispatches are expensive on a
//! phone's GPU, idle cores on a large one, and some GPUs are slower than the CPU. So a small network with the
//! same kernels is run with each of them ([`rehearsal`]). A schedule whose results differ from the CPU's is
//! ruled out, because drivers miscompile shaders.

mod measure;
pub(super) mod record;
mod rehearsal;
mod words;

use serde::Serialize;

use crate::executor::DeviceKind;
use crate::plan::Schedule;

pub(super) use measure::{Outcome, measure};
pub(super) use rehearsal::Rehearsal;
pub(super) use words::{describe, reason_of};

/// Lengths of the measured runs in tokens: a sentence, and a window over a long text. The cost of a schedule
/// consists of dispatches (constant in the rows), linears (proportional) and attention, so the order of the
/// candidates changes at most once between the two.
const LENGTHS: [usize; 2] = [128, 384];

/// The lengths to measure for a network with a maximum of `longest` tokens.
pub(super) fn lengths(longest: usize) -> Vec<usize> {
    let mut lengths = LENGTHS.map(|length| length.min(longest)).to_vec();
    lengths.dedup();
    lengths
}

/// Maximum number of rows of a short run: the geometric mean of [`LENGTHS`].
const SHORT_ROWS: usize = 221;

/// A candidate is replaced only by one that takes less than this fraction of its time, so that noise doesn't
/// decide.
const THRESHOLD: f64 = 0.95;

/// A way to run a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Candidate {
    /// The GPU, with the schedule `chain`.
    Chain,
    /// The GPU, with the schedule `tiled`.
    Tiled,
    /// The CPU.
    Cpu,
}

impl Candidate {
    const ALL: [Candidate; 3] = [Candidate::Chain, Candidate::Tiled, Candidate::Cpu];

    fn as_str(self) -> &'static str {
        self.schedule().map_or("cpu", Schedule::as_str)
    }

    /// On a GPU, its schedule.
    fn schedule(self) -> Option<Schedule> {
        match self {
            Candidate::Chain => Some(Schedule::Chain),
            Candidate::Tiled => Some(Schedule::Tiled),
            Candidate::Cpu => None,
        }
    }
}

/// How the device and its schedule were chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChosenBy {
    /// Both, or the device alone, were requested.
    Request,
    /// There was nothing to choose from.
    #[default]
    Rule,
    /// By measuring during this load.
    Measurement,
    /// By the measurement of an earlier load.
    Memory,
}

/// The choice, as reported.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Choice {
    /// How it was made.
    pub by: ChosenBy,
    /// Times by length; empty if nothing was measured.
    pub lengths: Vec<Timing>,
    /// Candidates that can't be used here.
    pub ruled_out: Vec<RuledOut>,
}

/// Times of a run in milliseconds, estimated from two layers; `None` for candidates that weren't measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Timing {
    /// Length of the run.
    pub tokens: usize,
    /// The candidate chosen for this length.
    pub winner: Option<Candidate>,
    /// On the GPU, with the schedule `chain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<f64>,
    /// On the GPU, with the schedule `tiled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tiled: Option<f64>,
    /// On the CPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
}

impl Timing {
    /// The time of a candidate.
    pub fn of(&self, candidate: Candidate) -> Option<f64> {
        match candidate {
            Candidate::Chain => self.chain,
            Candidate::Tiled => self.tiled,
            Candidate::Cpu => self.cpu,
        }
    }

    fn set(&mut self, candidate: Candidate, milliseconds: f64) {
        let time = match candidate {
            Candidate::Chain => &mut self.chain,
            Candidate::Tiled => &mut self.tiled,
            Candidate::Cpu => &mut self.cpu,
        };
        *time = Some(milliseconds);
    }

    /// The GPU's faster schedule and its time; a tie goes to `tiled`.
    fn on_gpu(&self) -> Option<(Candidate, f64)> {
        match (self.chain, self.tiled) {
            (Some(chain), Some(tiled)) if chain < THRESHOLD * tiled => Some((Candidate::Chain, chain)),
            (Some(chain), None) => Some((Candidate::Chain, chain)),
            (_, tiled) => Some((Candidate::Tiled, tiled?)),
        }
    }
}

/// A candidate that can't be used, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuledOut {
    /// The candidate.
    pub candidate: Candidate,
    /// The reason.
    pub reason: String,
}

/// The schedules for short and long runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Schedules {
    /// The schedule of a short run.
    pub short: Schedule,
    /// The schedule of a long run.
    pub long: Schedule,
}

impl Schedules {
    /// The same schedule for every run.
    pub fn only(schedule: Schedule) -> Self {
        Schedules { short: schedule, long: schedule }
    }

    /// The name of the schedule, or of both: `chain`, or `chain, tiled for long runs`.
    pub fn describe(self) -> String {
        let Schedules { short, long } = self;
        let only = short.as_str().to_owned();
        if short == long { only } else { format!("{only}, {} for long runs", long.as_str()) }
    }

    /// The schedule of a run over this many rows.
    pub fn of(self, rows: usize) -> Schedule {
        if rows <= SHORT_ROWS { self.short } else { self.long }
    }
}

/// Picks the winners: the device that is faster over all lengths (weights are on one device only), and on a
/// GPU, the faster schedule for each length. A tie goes to the GPU, which leaves the CPU free for other work.
pub(super) fn decide(timings: &mut [Timing]) -> (DeviceKind, Schedules) {
    // The geometric mean of the ratios: each length counts the same, however long it takes.
    let ratio = |timing: &Timing| match (timing.on_gpu(), timing.cpu) {
        (Some((_, gpu)), Some(cpu)) => (cpu / gpu).ln(),
        (Some(_), None) => f64::INFINITY,
        (None, _) => f64::NEG_INFINITY,
    };
    let count = timings.len().max(1) as f64;
    let mean = (timings.iter().map(ratio).sum::<f64>() / count).exp();
    let gpu_wins = !timings.is_empty() && mean >= THRESHOLD;
    let kind = if gpu_wins { DeviceKind::Gpu } else { DeviceKind::Cpu };
    for timing in timings.iter_mut() {
        timing.winner = match kind {
            DeviceKind::Gpu => timing.on_gpu().map(|(candidate, _)| candidate),
            DeviceKind::Cpu => Some(Candidate::Cpu),
        };
    }
    let schedule = |timing: &Timing| timing.winner.and_then(Candidate::schedule).unwrap_or_default();
    let schedules = match &*timings {
        [only] => Schedules::only(schedule(only)),
        [short, .., long] => Schedules { short: schedule(short), long: schedule(long) },
        [] => Schedules::default(),
    };
    (kind, schedules)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn timing(tokens: usize, [chain, tiled, cpu]: [Option<f64>; 3]) -> Timing {
        Timing { tokens, winner: None, chain, tiled, cpu }
    }

    fn decided(times: [[Option<f64>; 3]; 2]) -> (DeviceKind, [Candidate; 2]) {
        let mut timings = [timing(128, times[0]), timing(384, times[1])];
        let (kind, schedules) = decide(&mut timings);
        let winners = timings.each_ref().map(|timing| timing.winner.unwrap());
        for (rows, winner) in [(8, winners[0]), (192, winners[0]), (224, winners[1]), (4096, winners[1])] {
            assert_eq!(schedules.of(rows), winner.schedule().unwrap_or_default());
        }
        (kind, winners)
    }

    #[test]
    fn each_length_has_the_faster_schedule() {
        let (kind, winners) =
            decided([[Some(2.0), Some(4.0), Some(9.0)], [Some(9.0), Some(7.0), Some(30.0)]]);
        assert_eq!((kind, winners), (DeviceKind::Gpu, [Candidate::Chain, Candidate::Tiled]));
    }

    #[test]
    fn the_device_is_faster_over_all_lengths_though_not_at_each() {
        // The GPU takes 1.25 times as long for a short run, and half as long for a long one.
        let gpu = decided([[None, Some(5.0), Some(4.0)], [None, Some(10.0), Some(20.0)]]);
        assert_eq!(gpu, (DeviceKind::Gpu, [Candidate::Tiled; 2]));
        let cpu = decided([[Some(5.0), Some(6.0), Some(2.0)], [Some(20.0), Some(18.0), Some(17.0)]]);
        assert_eq!(cpu, (DeviceKind::Cpu, [Candidate::Cpu; 2]));
    }

    #[test]
    fn ties_go_to_tiles_on_the_gpu() {
        let close = [Some(9.7), Some(10.0), Some(9.8)];
        assert_eq!(decided([close, close]), (DeviceKind::Gpu, [Candidate::Tiled; 2]));
    }

    #[test]
    fn what_was_not_measured_does_not_win() {
        let chain = [Some(100.0), None, None];
        assert_eq!(decided([chain, chain]), (DeviceKind::Gpu, [Candidate::Chain; 2]));
        let cpu = [None, None, Some(100.0)];
        assert_eq!(decided([cpu, cpu]), (DeviceKind::Cpu, [Candidate::Cpu; 2]));
        assert_eq!(decide(&mut []).0, DeviceKind::Cpu);
    }
}
