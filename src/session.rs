//! One loaded network on one device: picks the executor and says why, keeps plans by length, and turns sequences of any
//! lengths into padded runs and their results back.

mod cut;
mod device;
mod sequence;

use std::sync::Arc;

pub use device::{Device, DeviceKind, DeviceReport};
pub use sequence::{Limits, Sequence};

use crate::cpu;
use crate::error::{Error, Result};
use crate::executor::Executor;
use crate::gpu::Memory;
use crate::plan::{Inputs, Network, ParameterId, Plan, PlanCache, Request, Schedule, fits_gpu};
use crate::profile::{Profile, RunParts};
use crate::weights::{ParameterData, Tensor};

/// What a caller chooses about a session.
#[derive(Clone, Debug, Default)]
pub struct SessionOptions {
    /// Where to run.
    pub device: Device,
    /// Threads of the CPU executor; 0 takes what the machine has. Always one in a browser.
    pub threads: usize,
    /// How operations are grouped into kernels.
    pub schedule: Schedule,
    /// Ask the GPU for timestamps, which [`Session::profile`] uses where the adapter has them. Nothing else changes.
    pub profiling: bool,
}

/// What is wanted of a run besides the head's results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The embedding's output and every layer's.
    pub hidden_states: bool,
    /// Every layer's attention probabilities.
    pub attentions: bool,
}

/// The results of one sequence by `transformers`' names, without the batch axis and cut to the sequence's length.
#[derive(Clone, Debug, Default)]
pub struct Outputs(Vec<(String, Tensor)>);

impl Outputs {
    /// The result of that name.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, tensor)| tensor)
    }

    /// Names and results in the plan's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.0.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }
}

/// A network whose parameters stand on a device.
pub struct Session {
    network: Network,
    limits: Limits,
    schedule: Schedule,
    executor: Executor,
    device: DeviceReport,
    plans: PlanCache,
}

/// An executor that is ready to take parameters, before the network is known: a GPU can start while files arrive.
pub struct Started {
    executor: Executor,
    device: DeviceReport,
    options: SessionOptions,
}

impl Started {
    /// Picks the executor.
    ///
    /// # Errors
    /// [`crate::error::Error::Unsupported`] where a GPU is demanded and there is none.
    pub async fn new(options: &SessionOptions) -> Result<Self> {
        let (gpu, device) = device::choose(options.device, options.profiling).await?;
        let executor = match gpu {
            Some(gpu) => gpu.into(),
            None => cpu::Executor::new(options.threads)?.into(),
        };
        Ok(Started { executor, device, options: options.clone() })
    }

    /// Where it will run, and why.
    pub fn device(&self) -> &DeviceReport {
        &self.device
    }

    /// A session that still waits for its parameters. A network with a tensor that no GPU has to take goes to the CPU,
    /// where the choice was ours.
    ///
    /// # Errors
    /// [`crate::error::Error::Unsupported`] for such a tensor where the GPU was asked for.
    pub fn with_network(self, network: Network, limits: Limits) -> Result<Session> {
        let Started { mut executor, mut device, options } = self;
        if let (Executor::Gpu(_), Err(error)) = (&executor, fits_gpu(&network)) {
            if options.device == Device::Gpu {
                return Err(error);
            }
            executor = cpu::Executor::new(options.threads)?.into();
            device = DeviceReport { kind: DeviceKind::Cpu, reason: error.to_string(), ..device };
        }
        let schedule = options.schedule;
        Ok(Session { network, limits, schedule, executor, device, plans: PlanCache::default() })
    }
}

impl Session {
    /// Where it runs, and why.
    pub fn device(&self) -> &DeviceReport {
        &self.device
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// What a sequence must keep to.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Hands a parameter to the device.
    ///
    /// # Errors
    /// Where the device has no room for it.
    pub fn load(&mut self, id: ParameterId, values: ParameterData) -> Result<()> {
        self.executor.load(id, &self.network.parameters[id.0], values)
    }

    /// Results of every sequence, in order. Neither the sequences beside it nor the padding change a result.
    ///
    /// # Errors
    /// [`crate::error::Error::InvalidInput`] for a sequence outside the limits; the session stays usable.
    pub async fn run(&mut self, sequences: &[Sequence], wanted: Wanted) -> Result<Vec<Outputs>> {
        self.run_in(sequences, wanted, sequence::MAX_ROWS).await
    }

    /// As [`Session::run`], in one run where batches are powers of two: for callers who know that it pays.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub async fn run_together(&mut self, sequences: &[Sequence]) -> Result<Vec<Outputs>> {
        let rows = sequences.len() * self.limits.max_sequence;
        self.run_in(sequences, Wanted::default(), rows).await
    }

    async fn run_in(&mut self, sequences: &[Sequence], wanted: Wanted, rows: usize) -> Result<Vec<Outputs>> {
        for (index, sequence) in sequences.iter().enumerate() {
            sequence.check(index, &self.limits)?;
        }
        let mut results = vec![Outputs::default(); sequences.len()];
        for group in sequence::group(sequences, self.executor.bucket(), self.limits.max_sequence, rows) {
            let request = Request {
                batch: group.members.len(),
                sequence: group.padded,
                schedule: self.schedule,
                hidden_states: wanted.hidden_states,
                attentions: wanted.attentions,
            };
            let plan = self.plan(request)?;
            let inputs = sequence::pad(sequences, &group);
            let buffers = self.executor.run(&plan, &inputs).await?;
            for (item, &member) in group.members.iter().enumerate() {
                let length = sequences[member].input_ids.len();
                results[member] = Outputs(cut::outputs(&plan, &buffers, item, length));
            }
        }
        Ok(results)
    }

    /// What one step of the plan for one sequence writes, padding included: for finding a wrong value by bisection.
    ///
    /// # Errors
    /// As [`Session::run`], and where there is no step of that label.
    pub async fn run_until(&mut self, sequence: &Sequence, label: &str) -> Result<Vec<f32>> {
        sequence.check(0, &self.limits)?;
        let sequences = std::slice::from_ref(sequence);
        let group = sequence::Group { members: vec![0], padded: sequence.input_ids.len() };
        let schedule = self.schedule;
        let plan = self.plan(Request { batch: 1, sequence: group.padded, schedule, ..Request::default() })?;
        let inputs = sequence::pad(sequences, &group);
        self.executor.run_until(&plan, &inputs, label).await
    }

    /// Runs sequences of one length as one batch, with a time for every step of the plan.
    ///
    /// # Errors
    /// As [`Session::run`], and where the lengths differ or make more than one run.
    pub async fn profile(&mut self, sequences: &[Sequence]) -> Result<(Arc<Plan>, Profile)> {
        let (plan, inputs) = self.one_run(sequences)?;
        let profile = self.executor.profile(&plan, &inputs).await?;
        Ok((plan, profile))
    }

    /// Runs sequences of one length as one batch and tells how the time divides between CPU, GPU and readback; `None` on
    /// the CPU.
    ///
    /// # Errors
    /// As [`Session::profile`].
    pub async fn run_in_parts(&mut self, sequences: &[Sequence]) -> Result<Option<RunParts>> {
        let (plan, inputs) = self.one_run(sequences)?;
        self.executor.run_in_parts(&plan, &inputs).await
    }

    /// The plan and the inputs of what [`Session::run_together`] runs at once.
    fn one_run(&mut self, sequences: &[Sequence]) -> Result<(Arc<Plan>, Inputs)> {
        for (index, sequence) in sequences.iter().enumerate() {
            sequence.check(index, &self.limits)?;
        }
        let rows = sequences.len() * self.limits.max_sequence;
        let groups = sequence::group(sequences, self.executor.bucket(), self.limits.max_sequence, rows);
        let [group] = groups.as_slice() else {
            let problem = format!("make {} runs, not one; batches are powers of two", groups.len());
            return Err(Error::invalid_input("sequences", problem));
        };
        let request = Request {
            batch: group.members.len(),
            sequence: group.padded,
            schedule: self.schedule,
            ..Request::default()
        };
        Ok((self.plan(request)?, sequence::pad(sequences, group)))
    }

    /// Waits until the device has taken every parameter; a browser reports a lack of memory only then.
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

    /// Bytes that a parameter takes on its device.
    pub fn parameter_bytes(&self, id: ParameterId) -> u64 {
        self.executor.parameter_bytes(id)
    }

    /// What runs plans.
    pub fn executor(&self) -> &Executor {
        &self.executor
    }

    fn plan(&mut self, request: Request) -> Result<Arc<Plan>> {
        self.plans.get(&self.network, request)
    }
}
