//! A session without parameters: devices have been found, but none has been chosen yet.

use super::choice::{self, Candidate, Choice, ChosenBy, Rehearsal, Schedules, record};
use super::device::{self, DeviceReport, Found};
use super::{Device, Limits, Session, SessionOptions};
use crate::cpu;
use crate::error::{Error, Result};
use crate::executor::{DeviceKind, Executor};
use crate::gpu;
use crate::kernels::{Simd, WeightFormat};
use crate::plan::{Network, Parameter, PlanCache, Request, Schedule, fits_gpu};

/// An executor that is set up before the network is known, so that a GPU can start while files arrive.
pub struct PendingSession {
    executor: Executor,
    device: DeviceReport,
    options: SessionOptions,
    /// The remaining candidates; empty once one has been chosen.
    candidates: &'static [Candidate],
    schedules: Schedules,
}

impl SessionOptions {
    fn simd(&self) -> Simd {
        self.simd.unwrap_or_else(Simd::best)
    }

    pub(super) fn cpu_executor(&self) -> Result<cpu::Executor> {
        cpu::Executor::with_simd(self.threads, self.simd())
    }
}

impl PendingSession {
    /// Looks for a GPU, unless the CPU was requested.
    ///
    /// # Errors
    /// [`crate::error::Error::Unsupported`] if a GPU was requested and there isn't one.
    pub async fn new(options: &SessionOptions) -> Result<Self> {
        Self::of(device::find(options).await?, options)
    }

    /// A session on a device opened by the caller; on the CPU if that was requested or `device` computes in
    /// software.
    ///
    /// # Errors
    /// [`crate::error::Error::Internal`] if threads can't be started.
    pub fn on(device: gpu::Device, options: &SessionOptions) -> Result<Self> {
        Self::of(device::judge(device, options), options)
    }

    fn of(found: Found, options: &SessionOptions) -> Result<Self> {
        let Found { gpu, report, candidates } = found;
        let executor = match gpu {
            Some(gpu) => gpu.into(),
            None => options.cpu_executor()?.into(),
        };
        Ok(PendingSession {
            executor,
            device: report,
            options: options.clone(),
            candidates,
            schedules: Schedules::only(options.schedule.unwrap_or_default()),
        })
    }

    /// The device that will be used, and why; before [`Self::choose`], the device that was found.
    pub fn device(&self) -> &DeviceReport {
        &self.device
    }

    /// Returns whether [`Self::choose`] has something to do: on a GPU.
    pub fn has_gpu(&self) -> bool {
        matches!(self.executor, Executor::Gpu(_))
    }

    /// The key under which to store what [`Self::choose`] returns; `None` on the CPU.
    pub fn choice_key(&self, network: &Network, storage: WeightFormat) -> Option<String> {
        let Executor::Gpu(gpu) = &self.executor else { return None };
        let key = record::key(gpu.device().identity(), self.options.simd(), &network.config, storage);
        Some(match self.options.schedule {
            Some(schedule) => format!("{key} {}", schedule.as_str()),
            None => key,
        })
    }

    /// Chooses among the schedules of a GPU and, unless a device was requested, between it and the CPU, and
    /// compiles the kernels. A requested schedule only has to agree with the CPU. `remembered` is what this
    /// function returned on an earlier visit. Returns the record to store, if anything was measured or
    /// compared.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if a requested GPU computes wrong results; [`Error::DeviceLost`].
    pub async fn choose(
        &mut self,
        network: &Network,
        storage: WeightFormat,
        remembered: Option<&str>,
    ) -> Result<Option<String>> {
        let key = self.choice_key(network, storage).filter(|_| fits_gpu(network).is_ok());
        let (Some(key), Executor::Gpu(gpu)) = (key, &mut self.executor) else { return Ok(None) };
        let config = &network.config;
        let candidates = std::mem::take(&mut self.candidates);
        let mut new = None;
        if !candidates.is_empty() {
            let lengths = choice::lengths(config.max_position_embeddings);
            let known = remembered.and_then(|text| record::read(text, &key, candidates, &lengths));
            let (by, outcome) = match known {
                Some(outcome) => (ChosenBy::Memory, outcome),
                None => {
                    let mut rehearsal = Rehearsal::new(config, storage, &self.options, gpu)?;
                    let outcome = choice::measure(&mut rehearsal, candidates, &lengths).await?;
                    rehearsal.end();
                    new = Some(record::write(&key, &outcome));
                    (ChosenBy::Measurement, outcome)
                }
            };
            let choice::Outcome { timings: lengths, ruled_out } = outcome;
            self.adopt(Choice { by, lengths, ruled_out })?;
        } else if let Some(schedule) = self.options.schedule {
            new = self.prove(schedule, network, storage, &key, remembered).await?;
        }
        self.compile(network, storage).await?;
        Ok(new)
    }

    /// Compares a requested schedule with the CPU, and falls back to the CPU if they disagree, unless the GPU
    /// was requested, too. Returns the record to store, if they were compared and agree.
    async fn prove(
        &mut self,
        schedule: Schedule,
        network: &Network,
        storage: WeightFormat,
        key: &str,
        remembered: Option<&str>,
    ) -> Result<Option<String>> {
        // The schedule may not support this network, whatever the device.
        network.plan(Request { batch: 1, sequence: 1, schedule, ..Request::default() })?;
        let Executor::Gpu(gpu) = &mut self.executor else { return Ok(None) };
        if remembered.is_some_and(|text| record::read(text, key, &[], &[]).is_some()) {
            return Ok(None);
        }
        let mut rehearsal = Rehearsal::new(&network.config, storage, &self.options, gpu)?;
        let proven = rehearsal.prove_schedule(schedule).await;
        rehearsal.end();
        let Err(error) = proven else { return Ok(Some(record::write(key, &choice::Outcome::default()))) };
        let name = self.device.adapter.as_deref().unwrap_or("this GPU");
        let problem = format!("{} was ruled out: {}", schedule.as_str(), choice::reason_of(&error));
        if self.options.device == Device::Gpu {
            return Err(match error {
                Error::DeviceLost { .. } => error,
                _ => device::missing(Error::unsupported(name, problem)),
            });
        }
        self.device.kind = DeviceKind::Cpu;
        self.device.reason = format!("a GPU was found, {name}, but {problem}");
        self.executor = self.options.cpu_executor()?.into();
        Ok(None)
    }

    fn adopt(&mut self, mut choice: Choice) -> Result<()> {
        let (kind, schedules) = choice::decide(&mut choice.lengths);
        let reason = choice::describe(kind, &choice);
        if kind == DeviceKind::Cpu {
            if self.options.device == Device::Gpu {
                let name = self.device.adapter.as_deref().unwrap_or("this GPU");
                return Err(device::missing(Error::unsupported(name, reason)));
            }
            self.executor = self.options.cpu_executor()?.into();
        }
        let asked = self.options.device == Device::Gpu;
        let reason = if asked { format!("{}; {reason}", self.device.reason) } else { reason };
        self.schedules = schedules;
        self.device = DeviceReport { kind, reason, chosen: choice, ..self.device.clone() };
        Ok(())
    }

    /// Compiles the kernels that most runs need, while the weights are still arriving.
    async fn compile(&mut self, network: &Network, storage: WeightFormat) -> Result<()> {
        let Executor::Gpu(gpu) = &mut self.executor else { return Ok(()) };
        let layouts = layouts(network, storage);
        let Schedules { short, long } = self.schedules;
        let sequence = network.config.max_position_embeddings.min(128);
        let different = if short == long { &[short][..] } else { &[short, long] };
        for &schedule in different {
            let request = Request { batch: 1, sequence, schedule, ..Request::default() };
            gpu.compile(&network.plan(request)?, &layouts).await?;
        }
        Ok(())
    }

    /// A session that still needs its parameters. A network with a tensor larger than WebGPU's guaranteed
    /// limit runs on the CPU, unless the GPU was requested.
    ///
    /// # Errors
    /// [`crate::error::Error::Unsupported`] for such a tensor if the GPU was requested.
    pub fn with_network(self, network: Network, limits: Limits) -> Result<Session> {
        let PendingSession { mut executor, mut device, options, schedules, .. } = self;
        if let (Executor::Gpu(_), Err(error)) = (&executor, fits_gpu(&network)) {
            if options.device == Device::Gpu {
                return Err(error);
            }
            executor = options.cpu_executor()?.into();
            device = DeviceReport { kind: DeviceKind::Cpu, reason: error.to_string(), ..device };
        }
        Ok(Session { network, limits, schedules, executor, device, plans: PlanCache::default() })
    }
}

/// The layouts of a network's parameters, if its tensors are stored in this format.
fn layouts(network: &Network, storage: WeightFormat) -> Vec<gpu::Layout> {
    let layout = |parameter: &Parameter| {
        let stored = parameter.recipe.row_scaled();
        let format =
            stored.map_or(WeightFormat::F32, |tensor| storage.of_tensor(tensor.name(), &tensor.shape));
        let group = parameter.group.map(|group| group.index);
        gpu::Layout { shape: parameter.shape.clone(), format, offset: 0, group }
    };
    network.parameters.iter().map(layout).collect()
}
