//! Holds a model's parameters on a device and runs plans over them.

use std::collections::HashMap;
use std::sync::Arc;

use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::plan::{Group, Inputs, Parameter, ParameterId, Plan, Request, Stretch};
use crate::trial::{Order, Trial};
use crate::weights::ParameterData;

use super::adapter::Adapter;
use super::device::Device;
use super::launch::launch;
use super::memory::{Ledger, Memory};
use super::parameters::{Layout, PendingGroup, Uploaded};
use super::pipelines::Pipelines;
use super::prepared::{PrepareContext, Prepared};
use super::readback::read_back;
use super::tile::Tile;
use super::uploads::Uploads;

/// Short tiles are used only if they take less than this fraction of the time of wide ones.
const SHORT_TILE_THRESHOLD: f64 = 0.95;
/// Maximum number of plan sizes with a trial: more than a plan cache holds, and than most texts need.
const MAX_TRIALS: usize = 64;

/// Runs plans on a GPU.
#[derive(Debug)]
pub struct Executor {
    // In order of destruction: buffers before the device.
    /// Buffers and bind groups of the plans that exist.
    pub(super) prepared: Vec<Prepared>,
    parameters: Vec<Option<Uploaded>>,
    /// Groups waiting for the rest of their parameters.
    pending: Vec<PendingGroup>,
    uploads: Uploads,
    pub(super) pipelines: Pipelines,
    ledger: Arc<Ledger>,
    pub(super) tile: Option<Tile>,
    /// Tile timings by plan size; they outlive evicted plans.
    pub(super) trials: HashMap<Request, Trial<Tile>>,
    pub(super) device: Device,
}

impl Executor {
    /// An executor on `device`. Kernels are compiled for the first plan that needs them.
    pub fn new(device: Device) -> Self {
        Executor {
            prepared: Vec::new(),
            parameters: Vec::new(),
            pending: Vec::new(),
            uploads: Uploads::default(),
            pipelines: Pipelines::new(),
            ledger: Arc::default(),
            tile: device.adapter().fallback.then_some(Tile::Wide),
            trials: HashMap::new(),
            device,
        }
    }

    /// The adapter's name.
    pub fn adapter(&self) -> &Adapter {
        self.device.adapter()
    }

    /// The device that plans run on.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Fixes the tile size, or with `None`, measures in the first runs of each plan size which one is faster.
    /// The default is to measure, except on software adapters, which have no idle cores.
    #[doc(hidden)] // For tests that compare tile sizes.
    pub fn set_tile(&mut self, tile: Option<Tile>) {
        self.tile = tile;
        self.prepared.clear();
    }

    /// Number of kernels compiled for plans so far.
    #[doc(hidden)] // For tests: results don't show it.
    pub fn compiled(&self) -> usize {
        self.pipelines.count()
    }

    /// Memory held on the device: parameters, and buffers prepared for plans.
    pub fn memory(&self) -> Memory {
        self.ledger.memory()
    }

    /// Uploads a parameter, replacing any earlier one with this id. Matrices and tables keep their format
    /// (f32, f16, q8 or q4). Parameters of a group are uploaded when all of them have arrived, and the first
    /// of them replaces the whole group.
    ///
    /// Browsers report a lack of memory later, at the latest in the next [`Self::settle`] or run.
    ///
    /// # Errors
    /// `Tensor` if the shape differs, `Unsupported` if it is larger than a binding, `OutOfMemory`.
    pub fn load(
        &mut self,
        id: ParameterId,
        parameter: &Parameter,
        values: impl Into<ParameterData>,
    ) -> Result<()> {
        let values = values.into();
        let watch = self.device.watch();
        let uploaded = match parameter.group {
            None => Uploaded::new(&self.device, &self.ledger, parameter, &values)
                .map(|uploaded| vec![(id, uploaded)]),
            Some(group) => self.load_into(group, id, parameter, &values),
        };
        let bytes = uploaded.as_ref().map_or(0, |all| all.iter().map(|(_, uploaded)| uploaded.bytes).sum());
        let outcome = watch.end(parameter.name.clone(), bytes);
        let uploaded = uploaded?;
        self.uploads.expect(outcome)?;

        for (id, uploaded) in uploaded {
            if self.parameters.len() <= id.0 {
                self.parameters.resize_with(id.0 + 1, || None);
            }
            self.parameters[id.0] = Some(uploaded);
        }
        // Bind groups prepared earlier refer to the old buffer.
        self.prepared.clear();
        self.uploads.add(bytes, &self.device)
    }

    /// Adds a parameter to its group. Returns the group's parameters once it is complete.
    fn load_into(
        &mut self,
        group: Group,
        id: ParameterId,
        parameter: &Parameter,
        values: &ParameterData,
    ) -> Result<Vec<(ParameterId, Uploaded)>> {
        let index = self.pending.iter().position(|pending| pending.group == group).unwrap_or_else(|| {
            self.pending.push(PendingGroup::new(group));
            self.pending.len() - 1
        });
        let is_complete = self.pending[index].push(&self.device, id, parameter, values)?;
        for uploaded in &mut self.parameters {
            if uploaded.as_ref().is_some_and(|uploaded| uploaded.layout.group == Some(group.index)) {
                *uploaded = None;
            }
        }
        if !is_complete {
            return Ok(Vec::new());
        }
        Ok(self.pending.swap_remove(index).upload(&self.device, &self.ledger))
    }

    /// Waits until all uploads are known to have succeeded.
    ///
    /// # Errors
    /// `OutOfMemory` with the name of the tensor that didn't fit.
    pub async fn settle(&mut self) -> Result<()> {
        self.uploads.settle(&self.device).await
    }

    /// Runs a plan. Returns one vector per output, each the whole buffer in row-major order.
    ///
    /// # Errors
    /// `InvalidInput` from [`Inputs::check`]; `OutOfMemory`, `DeviceLost` or `Internal` from the device.
    pub async fn run(&mut self, plan: &Plan, inputs: &Inputs) -> Result<Vec<Vec<f32>>> {
        let index = self.prepare(plan, inputs).await?;
        let tile = tile_of(self.tile, &mut self.trials, &self.prepared[index]);
        let started = now_ms();
        let results = self.execute(index, inputs, tile, &Stretch::NONE).await?;
        if let Some(trial) = self.trials.get_mut(&plan.request) {
            trial.note(tile, now_ms() - started);
        }
        Ok(results)
    }

    /// Like [`Self::run`], with tiles of this size and with some steps repeated, for timing.
    ///
    /// # Errors
    /// Same as [`Self::run`].
    pub async fn run_stretched(
        &mut self,
        plan: &Plan,
        inputs: &Inputs,
        tile: Tile,
        stretch: &Stretch,
    ) -> Result<Vec<Vec<f32>>> {
        let index = self.prepare(plan, inputs).await?;
        self.execute(index, inputs, tile, stretch).await
    }

    async fn execute(
        &mut self,
        index: usize,
        inputs: &Inputs,
        tile: Tile,
        stretch: &Stretch,
    ) -> Result<Vec<Vec<f32>>> {
        let Executor { prepared, device, pipelines, .. } = self;
        let prepared = &mut prepared[index];
        prepared.write_inputs(device, inputs);
        // The commands are the same each time, so only the first run with each tile needs error scopes.
        let watch = (!prepared.proven[tile as usize]).then(|| device.watch());
        prepared.submit(device, pipelines, tile, stretch, None);
        let outcome = watch.map(|watch| watch.end(prepared.name(), prepared.bytes()));
        prepared.in_flight = true;
        let (staging, bytes) = prepared.staging();
        let results = read_back(device, staging, bytes, |values| prepared.split(values)).await?;
        prepared.in_flight = false;
        if let Some(outcome) = outcome {
            outcome.await?;
            prepared.proven[tile as usize] = true;
        }
        device.check(&prepared.name())?;
        Ok(results)
    }

    /// Compiles a plan's kernels before its parameters have arrived; only their layouts, by id, are needed.
    ///
    /// # Errors
    /// Same as [`Self::run`].
    pub async fn compile(&mut self, plan: &Plan, layouts: &[Layout]) -> Result<()> {
        let launches: Result<Vec<_>> =
            plan.steps.iter().map(|step| launch(plan, step, &|id: ParameterId| layouts.get(id.0))).collect();
        self.pipelines.compile(&self.device, &launches?, self.tile).await
    }

    /// The tile sizes that runs may use.
    pub fn tiles(&self) -> &'static [Tile] {
        match self.tile {
            Some(Tile::Wide) => &[Tile::Wide],
            Some(Tile::Short) => &[Tile::Short],
            None => &[Tile::Wide, Tile::Short],
        }
    }

    /// Frees all parameters and everything prepared for plans. Compiled kernels are kept.
    pub fn clear(&mut self) {
        self.prepared.clear();
        self.parameters.clear();
        self.pending.clear();
        self.trials.clear();
    }

    /// Runs a plan up to the step with this label and returns that step's output.
    ///
    /// # Errors
    /// Same as [`Self::run`]; `InvalidInput` if there is no such step.
    pub async fn run_until(&mut self, plan: &Plan, inputs: &Inputs, label: &str) -> Result<Vec<f32>> {
        let index = self.prepare(plan, inputs).await?;
        self.prepared[index].write_inputs(&self.device, inputs);
        let context = self.prepare_context();
        let watch = self.device.watch();
        let submitted = self.prepared[index].submit_until(&context, Tile::Wide, label);
        let outcome = watch.end(label.to_owned(), 0);
        let (staging, bytes) = submitted?;
        let values = read_back(&self.device, &staging, bytes, <[f32]>::to_vec).await?;
        outcome.await?;
        self.device.check(label)?;
        Ok(values)
    }

    /// If the device was lost, returns that loss, which caused the error; otherwise the error itself.
    pub fn as_device_lost(&self, error: Error) -> Error {
        self.device.as_device_lost(error)
    }

    /// Bytes taken by a loaded parameter on the device; 0 if it isn't loaded.
    pub fn parameter_bytes(&self, id: ParameterId) -> u64 {
        let uploaded = self.parameters.get(id.0).and_then(Option::as_ref);
        uploaded.map_or(0, |uploaded| uploaded.bytes)
    }

    fn prepare_context(&self) -> PrepareContext<'_> {
        PrepareContext {
            device: &self.device,
            ledger: &self.ledger,
            pipelines: &self.pipelines,
            parameters: &self.parameters,
        }
    }

    /// Index of the buffers and bind groups of `plan`, creating them if necessary. Checks the `inputs` of the
    /// next run.
    pub(super) async fn prepare(&mut self, plan: &Plan, inputs: &Inputs) -> Result<usize> {
        inputs.check(plan, |id| self.parameters.get(id.0)?.as_ref()?.layout.shape.first().copied())?;
        self.settle().await?;
        self.device.check("plan")?;
        // A plan that was dropped can't run again.
        self.prepared.retain(Prepared::is_alive);
        let kept = self.prepared.iter().position(|prepared| prepared.is_for(plan));
        // If the future of the last run was dropped, the staging buffer is still mapped: start over.
        let kept = kept.map(|index| self.prepared.swap_remove(index)).filter(|prepared| !prepared.in_flight);
        let prepared = match kept {
            Some(prepared) => prepared,
            None => {
                let launches = Prepared::launches(plan, &self.parameters)?;
                self.pipelines.compile(&self.device, &launches, self.tile).await?;
                Prepared::new(plan, &launches, &self.prepare_context()).await?
            }
        };
        self.prepared.push(prepared);
        Ok(self.prepared.len() - 1)
    }
}

/// The tile size of the next run: the fixed one, the only one, or the next in the trial for this plan size.
pub(super) fn tile_of(
    fixed: Option<Tile>,
    trials: &mut HashMap<Request, Trial<Tile>>,
    prepared: &Prepared,
) -> Tile {
    match fixed {
        _ if !prepared.has_short => Tile::Wide,
        Some(tile) => tile,
        None => {
            if trials.len() == MAX_TRIALS && !trials.contains_key(&prepared.request()) {
                trials.clear();
            }
            let new = || Trial::new([Tile::Wide, Tile::Short], Order::Alternating, SHORT_TILE_THRESHOLD);
            trials.entry(prepared.request()).or_insert_with(new).next(|_| true)
        }
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        self.prepared.clear();
        self.parameters.clear();
        // In browsers a device lives until it is garbage collected, or destroyed explicitly.
        self.device.device.destroy();
    }
}
