//! One loaded network on one device: picks the executor and reports why, caches plans by length, and batches sequences of
//! any lengths into padded runs.

mod choice;
mod cut;
mod device;
mod pending;
mod sequence;
mod shared;

use std::sync::Arc;

pub use crate::executor::DeviceKind;
pub use choice::{Candidate, Choice, ChosenBy, RuledOut, Schedules, Timing};
pub use device::{Device, DeviceReport};
pub use pending::PendingSession;
pub(crate) use sequence::MAX_ROWS;
pub use sequence::{Limits, Sequence};
pub use shared::{BeginRun, SharedRun};

use self::sequence::Group;
use crate::error::{Error, Result};
use crate::executor::Executor;
use crate::gpu::Memory;
use crate::kernels::Simd;
use crate::plan::{Inputs, Network, ParameterId, Plan, PlanCache, Request, Schedule};
use crate::profile::{Profile, RunParts};
use crate::weights::{ParameterData, Tensor};

/// Options of a session.
#[derive(Clone, Debug, Default)]
pub struct SessionOptions {
    /// Device to run on.
    pub device: Device,
    /// Threads of the CPU executor; 0 means one per core. Always one in a browser.
    pub threads: usize,
    /// Instruction set of the CPU executor; `None` for the best available one.
    pub simd: Option<Simd>,
    /// Grouping of operations into kernels; with `None`, a GPU is measured to find out which one is faster.
    pub schedule: Option<Schedule>,
    /// Folder in which GPU measurements are stored for later processes, created when needed; `None` to
    /// measure in each process.
    #[cfg(not(target_arch = "wasm32"))]
    pub choices: Option<std::path::PathBuf>,
    /// Let [`Device::Auto`] also measure a software adapter, for testing the measurement.
    pub measure_software: bool,
    /// Request timestamps from the GPU, which [`Session::profile`] uses if the adapter has them. Nothing else
    /// changes.
    pub profiling: bool,
}

/// Results of a run in addition to the head's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExtraOutputs {
    /// The output of the embeddings and of every layer.
    pub hidden_states: bool,
    /// Every layer's attention probabilities.
    pub attentions: bool,
}

/// The results of one sequence under `transformers`' names, without the batch axis and without padding.
#[derive(Clone, Debug, Default)]
pub struct Outputs(Vec<(String, Tensor)>);

impl Outputs {
    /// The result with this name.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, tensor)| tensor)
    }

    /// Names and results in the plan's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.0.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }
}

impl FromIterator<(String, Tensor)> for Outputs {
    fn from_iter<I: IntoIterator<Item = (String, Tensor)>>(results: I) -> Self {
        Outputs(results.into_iter().collect())
    }
}

/// A network with its parameters on a device.
pub struct Session {
    network: Network,
    limits: Limits,
    schedules: Schedules,
    executor: Executor,
    device: DeviceReport,
    plans: PlanCache,
}

impl Session {
    /// The device in use, and why.
    pub fn device(&self) -> &DeviceReport {
        &self.device
    }

    /// Replaces the reason for the device.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn set_reason(&mut self, reason: String) {
        self.device.reason = reason;
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Grouping of operations into kernels, by the size of a run.
    pub fn schedules(&self) -> Schedules {
        self.schedules
    }

    /// Limits of the network's inputs.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Loads a parameter onto the device.
    ///
    /// # Errors
    /// [`crate::error::Error::OutOfMemory`].
    pub fn load(&mut self, id: ParameterId, values: ParameterData) -> Result<()> {
        self.executor.load(id, &self.network.parameters[id.0], values)
    }

    /// Results of every sequence, in order. A result depends neither on the other sequences nor on padding.
    ///
    /// # Errors
    /// [`crate::error::Error::InvalidInput`] for a sequence outside the limits; the session stays usable.
    pub async fn run(&mut self, sequences: &[Sequence], extra: ExtraOutputs) -> Result<Vec<Outputs>> {
        self.run_in(sequences, extra, MAX_ROWS).await
    }

    /// Like [`Session::run`], but in as few runs as possible (batches are powers of two), for callers who
    /// know that this is faster.
    ///
    /// # Errors
    /// Same as [`Session::run`].
    pub async fn run_together(&mut self, sequences: &[Sequence]) -> Result<Vec<Outputs>> {
        let rows = sequences.len() * self.limits.max_sequence;
        self.run_in(sequences, ExtraOutputs::default(), rows).await
    }

    async fn run_in(
        &mut self,
        sequences: &[Sequence],
        extra: ExtraOutputs,
        rows: usize,
    ) -> Result<Vec<Outputs>> {
        let ExtraOutputs { hidden_states, attentions } = extra;
        let extra = Request { hidden_states, attentions, ..Request::default() };
        let mut results = vec![Outputs::default(); sequences.len()];
        for group in self.groups(sequences, rows)? {
            let (plan, inputs) = self.prepare(sequences, &group, extra)?;
            let buffers = self.executor.run(&plan, &inputs).await?;
            cut::group(&plan, &buffers, sequences, &group, &mut results);
        }
        Ok(results)
    }

    /// The output of one step of the plan for one sequence, padding included: for bisecting a wrong value.
    ///
    /// # Errors
    /// Same as [`Session::run`], and if there isn't a step with that label.
    pub async fn run_until(&mut self, sequence: &Sequence, label: &str) -> Result<Vec<f32>> {
        sequence.check(0, &self.limits)?;
        let group = Group { members: vec![0], padded: sequence.input_ids.len() };
        let (plan, inputs) = self.prepare(std::slice::from_ref(sequence), &group, Request::default())?;
        self.executor.run_until(&plan, &inputs, label).await
    }

    /// One layer's attention probabilities for one sequence, `[heads, sequence, sequence]`. Later steps
    /// aren't computed.
    ///
    /// # Errors
    /// Same as [`Session::run`], and for a layer that the network doesn't have.
    pub async fn attention(&mut self, sequence: &Sequence, layer: usize) -> Result<Tensor> {
        let extra = Request { attention_of: Some(layer), ..Request::default() };
        let (plan, inputs) = self.one_run(std::slice::from_ref(sequence), extra)?;
        let buffers = self.executor.run(&plan, &inputs).await?;
        let outputs = cut::outputs(&plan, &buffers, 0, sequence.input_ids.len());
        let only = outputs.into_iter().next().map(|(_, probabilities)| probabilities);
        only.ok_or_else(|| Error::internal("attention", "is not among the results of the plan"))
    }

    /// Runs sequences of one length as one batch, and times every step of the plan.
    ///
    /// # Errors
    /// Same as [`Session::run`], and if the lengths differ or need more than one run.
    pub async fn profile(&mut self, sequences: &[Sequence]) -> Result<(Arc<Plan>, Profile)> {
        let (plan, inputs) = self.one_run(sequences, Request::default())?;
        let profile = self.executor.profile(&plan, &inputs).await?;
        Ok((plan, profile))
    }

    /// Runs sequences of one length as one batch and returns the time spent on the CPU, on the GPU and in
    /// readback; `None` on the CPU executor.
    ///
    /// # Errors
    /// Same as [`Session::profile`].
    pub async fn run_in_parts(&mut self, sequences: &[Sequence]) -> Result<Option<RunParts>> {
        let (plan, inputs) = self.one_run(sequences, Request::default())?;
        self.executor.run_in_parts(&plan, &inputs).await
    }

    /// The plan and the inputs of a batch that has to fit into one run.
    fn one_run(&mut self, sequences: &[Sequence], extra: Request) -> Result<(Arc<Plan>, Inputs)> {
        let groups = self.groups(sequences, sequences.len() * self.limits.max_sequence)?;
        let [group] = groups.as_slice() else {
            let problem = format!("make {} runs, not one; batches are powers of two", groups.len());
            return Err(Error::invalid_input("sequences", problem));
        };
        self.prepare(sequences, group, extra)
    }

    /// Checks sequences, and groups them into runs of at most `rows` rows.
    fn groups(&self, sequences: &[Sequence], rows: usize) -> Result<Vec<Group>> {
        for (index, sequence) in sequences.iter().enumerate() {
            sequence.check(index, &self.limits)?;
        }
        Ok(sequence::group(sequences, self.executor.bucket(), self.limits.max_sequence, rows))
    }

    /// The plan and the inputs of one run. `extra` says which results it has in addition to the head's.
    fn prepare(
        &mut self,
        sequences: &[Sequence],
        group: &Group,
        extra: Request,
    ) -> Result<(Arc<Plan>, Inputs)> {
        let plan = self.plan(group.members.len(), group.padded, extra)?;
        Ok((plan, sequence::pad(sequences, group)))
    }

    /// Waits until all uploads have completed; browsers report a lack of memory only then.
    ///
    /// # Errors
    /// [`crate::error::Error::OutOfMemory`].
    pub async fn settle(&mut self) -> Result<()> {
        self.executor.settle().await
    }

    /// GPU buffers held and their bytes; zeros on the CPU.
    pub fn memory(&self) -> Memory {
        self.executor.memory()
    }

    /// Bytes taken by a parameter on its device.
    pub fn parameter_bytes(&self, id: ParameterId) -> u64 {
        self.executor.parameter_bytes(id)
    }

    /// The executor.
    pub fn executor(&self) -> &Executor {
        &self.executor
    }

    /// Fails if this GPU's results of a schedule differed from the CPU's.
    fn not_ruled_out(&self, candidate: Candidate) -> Result<()> {
        match self.device.chosen.ruled_out.iter().find(|out| out.candidate == candidate) {
            None => Ok(()),
            Some(out) => Err(Error::unsupported(
                "hidden states and attentions",
                format!("on this GPU, their schedule was ruled out: {}", out.reason),
            )),
        }
    }

    /// The plan for runs of this size.
    fn plan(&mut self, batch: usize, sequence: usize, extra: Request) -> Result<Arc<Plan>> {
        let schedule = match self.schedules.of(batch * sequence) {
            // A chain keeps the extra results inside its kernels.
            Schedule::Chain if extra.keeps_more() => {
                self.not_ruled_out(Candidate::Tiled)?;
                Schedule::Tiled
            }
            schedule => schedule,
        };
        self.plans.get(&self.network, Request { batch, sequence, schedule, ..extra })
    }
}
