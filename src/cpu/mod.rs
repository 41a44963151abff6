//! Runs plans on the CPU: one call to a kernel's twin per step, with memory that is reused between runs.

mod division;
mod shared;

pub use division::{Division, Share};
pub use shared::Exchange;

use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::kernels::{
    Host, HostParameter, PackedMatrix, ParameterShape, Q4_GROUP, Scratch, Shapes, Simd, Table, Workers,
};
use crate::plan::{BufferId, Inputs, Parameter, ParameterId, Plan, Role, Step, Stretch};
use crate::profile::{Clock, Profile, StepTime};
use crate::weights::{self, ParameterData, Values};

/// The parameters of a model and the memory to run its plans.
#[derive(Debug)]
pub struct Executor {
    workers: Workers,
    parameters: Vec<Option<HostParameter>>,
    slots: Vec<Vec<f32>>,
    scratch: Scratch,
}

impl Executor {
    /// An executor with `threads` threads (0: one per core; in wasm always one) and the best available
    /// instruction set.
    pub fn new(threads: usize) -> Result<Self> {
        Executor::with_simd(threads, Simd::best())
    }

    /// An executor with the given instruction set.
    pub fn with_simd(threads: usize, simd: Simd) -> Result<Self> {
        Ok(Executor {
            workers: Workers::new(threads, simd)
                .map_err(|problem| Error::invalid_input("threads", problem.to_string()))?,
            parameters: Vec::new(),
            slots: Vec::new(),
            scratch: Scratch::default(),
        })
    }

    /// Number of threads.
    pub fn threads(&self) -> usize {
        self.workers.threads()
    }

    /// The instruction set in use.
    pub fn simd(&self) -> Simd {
        self.workers.simd()
    }

    /// Bytes taken by the loaded parameters.
    pub fn loaded_bytes(&self) -> usize {
        self.parameters.iter().flatten().map(HostParameter::bytes).sum()
    }

    /// Bytes taken by one parameter; 0 if it isn't loaded.
    pub fn parameter_bytes(&self, id: ParameterId) -> usize {
        self.parameters.get(id.0).and_then(Option::as_ref).map_or(0, HostParameter::bytes)
    }

    /// Takes a parameter; a matrix is packed here, once. Matrices and tables keep their format (f32, f16, q8 or q4).
    ///
    /// # Errors
    /// [`Error::Tensor`] if the shape differs.
    pub fn load(
        &mut self,
        id: ParameterId,
        parameter: &Parameter,
        values: impl Into<ParameterData>,
    ) -> Result<()> {
        let values = values.into();
        if values.shape != parameter.shape || !values.is_whole() {
            let problem = format!("has shape {:?} instead of {:?}", values.shape, parameter.shape);
            return Err(Error::tensor(&parameter.name, problem));
        }
        let loaded = match (parameter.role, parameter.shape.as_slice()) {
            (_, shape) if shape.contains(&0) || shape.is_empty() => {
                return Err(Error::tensor(&parameter.name, format!("is empty: shape {shape:?}")));
            }
            (Role::Matrix, &[_, in_features]) => {
                HostParameter::matrix(matrix(values, in_features, self.workers.simd()))
            }
            (Role::Table, &[_, features]) => HostParameter::table(table(values, features)),
            (Role::Vector, &[_]) => HostParameter::vector(values.into_f32(&parameter.name)?.data),
            (role, shape) => {
                return Err(Error::tensor(
                    &parameter.name,
                    format!("shape {shape:?} is not valid for a {role:?}"),
                ));
            }
        };
        if self.parameters.len() <= id.0 {
            self.parameters.resize_with(id.0 + 1, || None);
        }
        self.parameters[id.0] = Some(loaded);
        Ok(())
    }

    /// Runs a plan. Returns one vector per output, each the whole padded buffer in row-major order.
    pub fn run(&mut self, plan: &Plan, inputs: &Inputs) -> Result<Vec<Vec<f32>>> {
        self.prepare(plan, inputs)?;
        let workers = self.workers.clone();
        workers.gather(|| plan.steps.iter().try_for_each(|step| self.step(plan, inputs, step)))?;
        plan.outputs.iter().map(|output| self.read(plan, output.buffer, &output.name)).collect()
    }

    /// Runs a plan with some steps repeated, for timing.
    ///
    /// # Errors
    /// Same as [`Executor::run`].
    pub fn run_stretched(&mut self, plan: &Plan, inputs: &Inputs, stretch: &Stretch) -> Result<()> {
        self.prepare(plan, inputs)?;
        let workers = self.workers.clone();
        let mut order = stretch.order(plan.steps.len());
        workers.gather(|| order.try_for_each(|index| self.step(plan, inputs, &plan.steps[index])))
    }

    /// Runs a plan and times every step.
    ///
    /// # Errors
    /// Same as [`Executor::run`].
    pub fn profile(&mut self, plan: &Plan, inputs: &Inputs) -> Result<Profile> {
        self.prepare(plan, inputs)?;
        let mut steps = Vec::with_capacity(plan.steps.len());
        for step in &plan.steps {
            let started = now_ms();
            self.step(plan, inputs, step)?;
            steps.push(StepTime { kernel: step.operation.kernel(), milliseconds: now_ms() - started });
        }
        Ok(Profile { clock: Clock::Cpu, steps })
    }

    /// Runs a plan up to the step with this label and returns that step's output.
    pub fn run_until(&mut self, plan: &Plan, inputs: &Inputs, label: &str) -> Result<Vec<f32>> {
        self.prepare(plan, inputs)?;
        for step in &plan.steps {
            self.step(plan, inputs, step)?;
            if step.label == label {
                return self.read(plan, step.output, label);
            }
        }
        Err(Error::invalid_input("step", format!("the plan has no step `{label}`")))
    }

    /// Checks the inputs and provides the plan's memory; allocates nothing if the memory is already large
    /// enough.
    fn prepare(&mut self, plan: &Plan, inputs: &Inputs) -> Result<()> {
        inputs.check(plan, |id| match self.parameters.get(id.0) {
            Some(Some(HostParameter::Table { table, .. })) => Some(table.rows()),
            _ => None,
        })?;
        if self.slots.len() < plan.slots.len() {
            self.slots.resize_with(plan.slots.len(), Vec::new);
        }
        for (slot, &len) in self.slots.iter_mut().zip(&plan.slots) {
            if slot.len() < len {
                slot.resize(len, 0.0);
            }
        }
        Ok(())
    }

    fn read(&self, plan: &Plan, buffer: BufferId, label: &str) -> Result<Vec<f32>> {
        let values = values(plan, &self.slots, buffer);
        let missing = || Error::internal(label, format!("buffer {} does not exist", buffer.0));
        values.map(<[f32]>::to_vec).ok_or_else(missing)
    }

    /// Runs one step.
    fn step(&mut self, plan: &Plan, inputs: &Inputs, step: &Step) -> Result<()> {
        let internal = |problem: &str| Error::internal(&step.label, problem);
        let missing = || internal("writes a buffer that the plan does not have");
        let buffer = plan.buffers.get(step.output.0).ok_or_else(missing)?;
        // Nothing can read it while it is being written.
        let mut slot = std::mem::take(self.slots.get_mut(buffer.slot).ok_or_else(missing)?);
        let result = match slot.get_mut(..buffer.len) {
            Some(output) => self.compute(plan, inputs, step, output),
            None => Err(internal("its buffer is larger than its slot")),
        };
        self.slots[buffer.slot] = slot;
        result
    }

    fn compute(&mut self, plan: &Plan, inputs: &Inputs, step: &Step, output: &mut [f32]) -> Result<()> {
        let Executor { parameters, slots, scratch, workers } = self;
        let buffer = |id: BufferId| values(plan, slots, id);
        let buffer_len = |id: BufferId| buffer(id).map(<[f32]>::len);
        let parameter =
            |id: ParameterId| -> Option<ParameterShape<'_>> { Some(parameters.get(id.0)?.as_ref()?.shape()) };
        let shapes = Shapes {
            label: &step.label,
            batch: plan.request.batch,
            sequence: plan.request.sequence,
            output_len: output.len(),
            buffer_len: &buffer_len,
            parameter: &parameter,
        };
        let host = Host { label: &step.label, inputs, parameters, buffer: &buffer, workers };
        step.operation.operator().compute(&shapes, &host, output, scratch)
    }
}

const _: () = assert!(Q4_GROUP == weights::Q4_GROUP, "groups are multiplied as they are stored");

/// Packs a matrix `[out_features, in_features]`.
fn matrix(values: ParameterData, in_features: usize, simd: Simd) -> PackedMatrix {
    let ParameterData { shape, values, scales } = values;
    match values {
        Values::F32(values) => PackedMatrix::from_f32(&values, shape[0], in_features, simd),
        Values::F16(values) => PackedMatrix::from_f16(&values, scales, in_features, simd),
        Values::Q8(values) => PackedMatrix::from_q8(&values, scales, in_features, simd),
        Values::Q4 { nibbles, groups } => PackedMatrix::from_q4(&nibbles, &groups, scales, in_features, simd),
    }
}

/// A table `[rows, features]`.
fn table(values: ParameterData, features: usize) -> Table {
    let ParameterData { values, scales, .. } = values;
    match values {
        Values::F32(values) => Table::from_f32(values, features),
        Values::F16(values) => Table::from_f16(values, scales, features),
        Values::Q8(values) => Table::from_q8(values, scales, features),
        Values::Q4 { nibbles, groups } => Table::from_q4(nibbles, groups, scales, features),
    }
}

/// The values of a buffer; `None` if the plan doesn't have it or its slot is too small.
fn values<'a>(plan: &Plan, slots: &'a [Vec<f32>], id: BufferId) -> Option<&'a [f32]> {
    let buffer = plan.buffers.get(id.0)?;
    slots.get(buffer.slot)?.get(..buffer.len)
}
