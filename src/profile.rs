//! The time of a run by step, as reported by both executors.

/// The clock for a step's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The GPU itself, by `timestamp-query`: one compute pass per step.
    Timestamps,
    /// The CPU's clock around one submit per dispatch, because the adapter has no `timestamp-query`, or
    /// the plan more steps than a query set has room for.
    Submits,
    /// The CPU's clock around each step of the CPU executor.
    Cpu,
}

impl Clock {
    /// Name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Clock::Timestamps => "timestamps",
            Clock::Submits => "submits",
            Clock::Cpu => "cpu",
        }
    }

    /// A description of the measuring method, with its caveats.
    pub fn note(self) -> &'static str {
        match self {
            Clock::Timestamps => "by the GPU's own timestamps, one compute pass per dispatch",
            Clock::Submits => {
                "no timestamps (the adapter lacks timestamp-query, or there are too many steps): one submit per dispatch, timed by the CPU's clock, \
                 so that every dispatch includes the cost of a submit"
            }
            Clock::Cpu => "by the CPU's clock around every step",
        }
    }
}

/// The time of one step.
#[derive(Clone, Debug, PartialEq)]
pub struct StepTime {
    /// The kernel that ran, e.g. `linear_short_q8`.
    pub kernel: &'static str,
    /// Milliseconds.
    pub milliseconds: f64,
}

/// The times of one profiled run.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// The clock that measured them.
    pub clock: Clock,
    /// Parallel to [`crate::plan::Plan::steps`].
    pub steps: Vec<StepTime>,
}

/// The parts of one run on a GPU, in milliseconds. They add up to the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunParts {
    /// Writing the inputs, encoding and submitting the commands, on the CPU.
    pub encode: f64,
    /// The compute pass.
    pub gpu: f64,
    /// Copying the results back, and waiting for them to arrive.
    pub readback: f64,
    /// The clock that measured `gpu`.
    pub clock: Clock,
}
