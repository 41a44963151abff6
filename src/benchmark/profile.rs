//! The time of a run by kernel, with its arithmetic and memory traffic.

use std::sync::Arc;

use serde::Serialize;

use super::{AdapterLimits, Benchmark};
use crate::clock::now_ms;
use crate::error::Result;
use crate::plan::Plan;
use crate::profile::{Clock, Profile, RunParts};
use crate::sorting::{sort, sort_by};

/// Time by kernel: means over several profiled runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KernelProfile {
    /// Tokens per sequence.
    pub sequence: usize,
    /// Sequences per run.
    pub batch: usize,
    /// Profiled runs.
    pub runs: usize,
    /// `timestamps`, `submits` or `cpu`.
    pub clock: &'static str,
    /// A description of the measuring method, with its caveats.
    pub note: &'static str,
    /// Milliseconds of all kernels together.
    pub total_ms: f64,
    /// Wall-clock milliseconds of a run without profiling: the median of runs interleaved with the profiled
    /// ones.
    pub run_ms: f64,
    /// Kernels, slowest first.
    pub kernels: Vec<KernelTime>,
    /// Steps in the order of execution.
    pub steps: Vec<StepProfile>,
}

/// The dispatches of one kernel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KernelTime {
    /// Name.
    pub kernel: &'static str,
    /// Number of dispatches per run.
    pub dispatches: usize,
    /// Milliseconds of all of them.
    pub ms: f64,
    /// Share of all kernels' time, from 0 to 1.
    pub share: f64,
    /// Matrix-product throughput in 10⁹ floating-point operations per second.
    pub gflop_s: f64,
    /// Minimum memory traffic in 10⁹ bytes per second.
    pub gb_s: f64,
    /// Fraction of the adapter's limit reached, and which limit; absent if no limit was measured.
    pub of_limit: Option<OfLimit>,
}

/// A kernel's fraction of the adapter's limit, for bandwidth or arithmetic, whichever it is closer to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct OfLimit {
    /// `arithmetic` or `bandwidth`.
    pub limit: &'static str,
    /// At least 0; can exceed 1, because caches deliver more bandwidth than a copy.
    pub share: f64,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepProfile {
    /// The step's label.
    pub label: String,
    /// Its kernel.
    pub kernel: &'static str,
    /// Milliseconds.
    pub ms: f64,
}

/// The parts of a run in milliseconds: medians.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Parts {
    /// Writing inputs, encoding and submitting.
    pub encode_ms: f64,
    /// The compute pass.
    pub gpu_ms: f64,
    /// Copying the results and waiting for them to arrive.
    pub readback_ms: f64,
    /// The clock that measured the compute pass: `timestamps` or `submits`.
    pub clock: &'static str,
}

impl Benchmark {
    /// CPU, GPU and readback times of a run: medians of `runs`; `None` on the CPU executor.
    ///
    /// # Errors
    /// Same as [`crate::session::Session::profile`].
    pub async fn parts(&mut self, sequence: usize, batch: usize, runs: usize) -> Result<Option<Parts>> {
        let sequences = vec![self.fixed(sequence); batch];
        let mut parts: Vec<RunParts> = Vec::with_capacity(runs);
        for _ in 0..runs {
            match self.session.run_in_parts(&sequences).await? {
                Some(part) => parts.push(part),
                None => return Ok(None),
            }
        }
        let of = |part: fn(&RunParts) -> f64| median(parts.iter().map(part).collect());
        Ok(parts.last().map(|last| Parts {
            encode_ms: of(|part| part.encode),
            gpu_ms: of(|part| part.gpu),
            readback_ms: of(|part| part.readback),
            clock: last.clock.as_str(),
        }))
    }

    /// Profiles `runs` runs, interleaved with unprofiled ones.
    ///
    /// # Errors
    /// Same as [`crate::session::Session::profile`].
    pub async fn profile(
        &mut self,
        sequence: usize,
        batch: usize,
        runs: usize,
        limits: Option<&AdapterLimits>,
    ) -> Result<KernelProfile> {
        let sequences = vec![self.fixed(sequence); batch];
        let mut normal = Vec::with_capacity(runs);
        let mut profiled: Vec<Profile> = Vec::with_capacity(runs);
        // The first run of each kind compiles, allocates and warms caches.
        let (plan, _) = self.session.profile(&sequences).await?;
        self.session.run_together(&sequences).await?;
        for _ in 0..runs.max(1) {
            let before = now_ms();
            self.session.run_together(&sequences).await?;
            normal.push(now_ms() - before);
            profiled.push(self.session.profile(&sequences).await?.1);
        }
        let work = self.work(&plan);
        Ok(KernelProfile::new(sequence, batch, &plan, &profiled, median(normal), &work, limits))
    }

    /// Floating-point operations and bytes of every step.
    fn work(&self, plan: &Arc<Plan>) -> Vec<[f64; 2]> {
        let network = self.session.network();
        let stored = |id| self.session.parameter_bytes(id);
        let of_step =
            |step| [plan.step_flops(network, step) as f64, plan.step_bytes(network, step, &stored) as f64];
        plan.steps.iter().map(of_step).collect()
    }
}

impl KernelProfile {
    fn new(
        sequence: usize,
        batch: usize,
        plan: &Plan,
        profiles: &[Profile],
        run_ms: f64,
        work: &[[f64; 2]],
        limits: Option<&AdapterLimits>,
    ) -> Self {
        let clock = profiles.first().map_or(Clock::Cpu, |profile| profile.clock);
        let runs = profiles.len();
        let steps: Vec<StepProfile> = plan
            .steps
            .iter()
            .enumerate()
            .map(|(index, step)| StepProfile {
                label: step.label.clone(),
                kernel: profiles.last().map_or("", |last| last.steps[index].kernel),
                ms: profiles.iter().map(|profile| profile.steps[index].milliseconds).sum::<f64>()
                    / runs as f64,
            })
            .collect();
        let total_ms = steps.iter().map(|step| step.ms).sum();
        let kernels = by_kernel(&steps, work, total_ms, limits);
        let (clock, note) = (clock.as_str(), clock.note());
        KernelProfile { sequence, batch, runs, clock, note, total_ms, run_ms, kernels, steps }
    }
}

fn by_kernel(
    steps: &[StepProfile],
    work: &[[f64; 2]],
    total_ms: f64,
    limits: Option<&AdapterLimits>,
) -> Vec<KernelTime> {
    let mut names: Vec<&'static str> = steps.iter().map(|step| step.kernel).collect();
    sort(&mut names);
    names.dedup();
    let mut kernels: Vec<KernelTime> = names
        .into_iter()
        .map(|kernel| {
            let of_kernel = || steps.iter().zip(work).filter(|(step, _)| step.kernel == kernel);
            let ms: f64 = of_kernel().map(|(step, _)| step.ms).sum();
            let per_second = |part: usize| ratio(of_kernel().map(|(_, work)| work[part]).sum(), ms * 1e6);
            let (gflop_s, gb_s) = (per_second(0), per_second(1));
            let of_limit = limits.map(|limits| OfLimit::new(gflop_s, gb_s, limits));
            KernelTime {
                kernel,
                dispatches: of_kernel().count(),
                ms,
                share: ratio(ms, total_ms),
                gflop_s,
                gb_s,
                of_limit,
            }
        })
        .collect();
    sort_by(&mut kernels, |a, b| b.ms.total_cmp(&a.ms));
    kernels
}

impl OfLimit {
    fn new(gflop_s: f64, gb_s: f64, limits: &AdapterLimits) -> Self {
        let arithmetic = ratio(gflop_s, limits.multiply_add_gflop_s);
        let bandwidth = ratio(gb_s, limits.copy_gb_s);
        if arithmetic > bandwidth {
            OfLimit { limit: "arithmetic", share: arithmetic }
        } else {
            OfLimit { limit: "bandwidth", share: bandwidth }
        }
    }
}

/// A quotient that JSON can represent: if the clock is too coarse for a kernel, its time is 0 ms.
fn ratio(numerator: f64, denominator: f64) -> f64 {
    if denominator > 0.0 { numerator / denominator } else { 0.0 }
}

fn median(mut values: Vec<f64>) -> f64 {
    sort_by(&mut values, f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(kernel: &'static str, ms: f64) -> StepProfile {
        StepProfile { label: String::new(), kernel, ms }
    }

    #[test]
    fn kernels_add_up_to_all_of_the_time_and_state_their_nearer_limit() {
        let steps = [step("linear", 1.0), step("add", 1.0), step("linear", 2.0)];
        // 3 MFLOP and 6 kB in 3 ms; 0 FLOP and 2 MB in 1 ms.
        let work = [[1e6, 3e3], [0.0, 2e6], [2e6, 3e3]];
        let limits = AdapterLimits {
            copy_gb_s: 4.0,
            multiply_add_gflop_s: 2.0,
            byte_dot_gop_s: None,
            clock: "timestamps",
        };
        let kernels = by_kernel(&steps, &work, 4.0, Some(&limits));
        assert_eq!(kernels.iter().map(|kernel| kernel.kernel).collect::<Vec<_>>(), ["linear", "add"]);
        assert_eq!(kernels.iter().map(|kernel| kernel.share).sum::<f64>(), 1.0);
        assert_eq!((kernels[0].dispatches, kernels[0].gflop_s, kernels[0].ms), (2, 1.0, 3.0));
        assert_eq!(kernels[0].of_limit, Some(OfLimit { limit: "arithmetic", share: 0.5 }));
        assert_eq!(kernels[1].of_limit, Some(OfLimit { limit: "bandwidth", share: 0.5 }));
    }

    #[test]
    fn a_clock_that_saw_no_time_gives_zeros_that_json_can_hold() {
        let kernels = by_kernel(&[step("add", 0.0)], &[[1.0, 1.0]], 0.0, None);
        assert_eq!((kernels[0].share, kernels[0].gflop_s, kernels[0].gb_s), (0.0, 0.0, 0.0));
    }
}
