//! The CPU and the GPU executor behind one interface.

use serde::Serialize;

use crate::cpu::{Division, Exchange};
use crate::error::{Error, Result};
use crate::gpu::Memory;
use crate::plan::{Inputs, Parameter, ParameterId, Plan};
use crate::profile::{Profile, RunParts};
use crate::weights::ParameterData;
use crate::{cpu, gpu};

/// The kind of device that an executor computes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceKind {
    /// WGSL kernels through wgpu.
    Gpu,
    /// The kernels' CPU twins.
    Cpu,
}

/// The CPU or a GPU, holding a model's parameters.
#[derive(Debug)]
pub enum Executor {
    /// The kernels' CPU twins.
    Cpu(cpu::Executor),
    /// WGSL kernels through wgpu.
    Gpu(Box<gpu::Executor>),
}

impl From<cpu::Executor> for Executor {
    fn from(executor: cpu::Executor) -> Self {
        Executor::Cpu(executor)
    }
}

impl From<gpu::Executor> for Executor {
    fn from(executor: gpu::Executor) -> Self {
        Executor::Gpu(Box::new(executor))
    }
}

impl Executor {
    /// Loads a parameter, replacing any earlier one with this id. Matrices and tables keep their format (f32,
    /// f16, q8 or q4).
    ///
    /// # Errors
    /// [`crate::error::Error::Tensor`] if the shape differs, [`crate::error::Error::OutOfMemory`].
    pub fn load(
        &mut self,
        id: ParameterId,
        parameter: &Parameter,
        values: impl Into<ParameterData>,
    ) -> Result<()> {
        match self {
            Executor::Cpu(executor) => executor.load(id, parameter, values),
            Executor::Gpu(executor) => executor.load(id, parameter, values),
        }
    }

    /// Waits until all uploads have completed; browsers report a lack of memory only then.
    ///
    /// # Errors
    /// [`crate::error::Error::OutOfMemory`].
    pub async fn settle(&mut self) -> Result<()> {
        match self {
            Executor::Cpu(_) => Ok(()),
            Executor::Gpu(executor) => {
                let settled = executor.settle().await;
                settled.map_err(|error| executor.as_device_lost(error))
            }
        }
    }

    /// Runs a plan. Returns one vector per output, each the whole padded buffer in row-major order.
    ///
    /// # Errors
    /// [`crate::error::Error::InvalidInput`] if the inputs don't fit the plan, and whatever the device
    /// reports.
    pub async fn run(&mut self, plan: &Plan, inputs: &Inputs) -> Result<Vec<Vec<f32>>> {
        match self {
            Executor::Cpu(executor) => executor.run(plan, inputs),
            Executor::Gpu(executor) => {
                let results = executor.run(plan, inputs).await;
                results.map_err(|error| executor.as_device_lost(error))
            }
        }
    }

    /// Computes this worker's part of a shared run; `None` if another worker was lost.
    ///
    /// # Errors
    /// Same as [`Executor::run`], and on a GPU.
    pub fn run_shared(
        &mut self,
        plan: &Plan,
        division: &Division,
        inputs: &Inputs,
        exchange: &mut dyn Exchange,
    ) -> Result<Option<Vec<Vec<f32>>>> {
        match self {
            Executor::Cpu(executor) => executor.run_shared(plan, division, inputs, exchange),
            Executor::Gpu(_) => Err(Error::internal("run", "a GPU doesn't share runs")),
        }
    }

    /// Runs a plan up to the step with this label and returns that step's output.
    ///
    /// # Errors
    /// Same as [`Executor::run`], and if there isn't such a step.
    pub async fn run_until(&mut self, plan: &Plan, inputs: &Inputs, label: &str) -> Result<Vec<f32>> {
        match self {
            Executor::Cpu(executor) => executor.run_until(plan, inputs, label),
            Executor::Gpu(executor) => {
                let output = executor.run_until(plan, inputs, label).await;
                output.map_err(|error| executor.as_device_lost(error))
            }
        }
    }

    /// Runs a plan and times every step.
    ///
    /// # Errors
    /// Same as [`Executor::run`].
    pub async fn profile(&mut self, plan: &Plan, inputs: &Inputs) -> Result<Profile> {
        match self {
            Executor::Cpu(executor) => executor.profile(plan, inputs),
            Executor::Gpu(executor) => {
                let profile = executor.profile(plan, inputs).await;
                profile.map_err(|error| executor.as_device_lost(error))
            }
        }
    }

    /// Runs a plan and returns the time spent on the CPU, on the GPU and in readback; `None` on the CPU
    /// executor, where nothing is encoded or read back.
    ///
    /// # Errors
    /// Same as [`Executor::run`].
    pub async fn run_in_parts(&mut self, plan: &Plan, inputs: &Inputs) -> Result<Option<RunParts>> {
        match self {
            Executor::Cpu(_) => Ok(None),
            Executor::Gpu(executor) => {
                let parts = executor.run_in_parts(plan, inputs).await;
                parts.map(Some).map_err(|error| executor.as_device_lost(error))
            }
        }
    }

    /// Number of kernels compiled so far; 0 on the CPU.
    #[doc(hidden)] // For tests: results don't show it.
    pub fn compiled(&self) -> usize {
        match self {
            Executor::Cpu(_) => 0,
            Executor::Gpu(executor) => executor.compiled(),
        }
    }

    /// GPU buffers held and their bytes; zeros on the CPU.
    pub fn memory(&self) -> Memory {
        match self {
            Executor::Cpu(_) => Memory::default(),
            Executor::Gpu(executor) => executor.memory(),
        }
    }

    /// Bytes taken by a loaded parameter on its device, in the layout that its kernel reads; 0 if it isn't
    /// loaded.
    pub fn parameter_bytes(&self, id: ParameterId) -> u64 {
        match self {
            Executor::Cpu(executor) => executor.parameter_bytes(id) as u64,
            Executor::Gpu(executor) => executor.parameter_bytes(id),
        }
    }

    /// Sequence lengths are padded to a multiple of this. It is larger on a GPU, where a plan costs buffers
    /// and bind groups; on a CPU it costs next to nothing.
    pub fn bucket(&self) -> usize {
        match self {
            Executor::Cpu(_) => 8,
            Executor::Gpu(_) => 32,
        }
    }
}
