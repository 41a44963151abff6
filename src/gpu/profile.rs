//! Runs that measure where the time goes.

use crate::clock::now_ms;
use crate::error::Result;
use crate::plan::{Inputs, Plan, Stretch};
use crate::profile::{Clock, Profile, RunParts, StepTime};

use super::completion;
use super::executor::{Executor, tile_of};
use super::readback::read_back;
use super::timestamps::Timestamps;

impl Executor {
    /// Runs a plan like [`Self::run`], and returns how long each part took. The GPU's part is measured with
    /// timestamps if the device has them, otherwise from the submit until the device reports that the work is
    /// done.
    ///
    /// # Errors
    /// Same as [`Self::run`].
    pub async fn run_in_parts(&mut self, plan: &Plan, inputs: &Inputs) -> Result<RunParts> {
        let index = self.prepare(plan, inputs).await?;
        let Executor { prepared, device, pipelines, tile: fixed, trials, .. } = self;
        let prepared = &mut prepared[index];
        let timestamps = Timestamps::new(device, 1);
        let tile = tile_of(*fixed, trials, prepared);
        let watch = device.watch();
        let started = now_ms();
        prepared.write_inputs(device, inputs);
        prepared.submit(device, pipelines, tile, &Stretch::NONE, timestamps.as_ref());
        let outcome = watch.end(prepared.name(), prepared.bytes());
        prepared.in_flight = true;
        let submitted = now_ms();
        if timestamps.is_none() {
            completion::all_work(device, &prepared.name()).await?;
        }
        let done = now_ms();
        let (staging, bytes) = prepared.staging();
        read_back(device, staging, bytes, |values: &[f32]| drop(prepared.split(values))).await?;
        let ended = now_ms();
        prepared.in_flight = false;
        outcome.await?;
        device.check(&prepared.name())?;
        let (gpu, clock) = match timestamps {
            Some(timestamps) => (timestamps.read(device).await?.iter().sum(), Clock::Timestamps),
            None => (done - submitted, Clock::Submits),
        };
        let encode = submitted - started;
        Ok(RunParts { encode, gpu, readback: (ended - started - encode - gpu).max(0.0), clock })
    }

    /// Runs a plan and times every step: with timestamps if the device has them and a query set has room for
    /// two per step, otherwise with the CPU's clock around one submit per step.
    ///
    /// # Errors
    /// Same as [`Self::run`].
    pub async fn profile(&mut self, plan: &Plan, inputs: &Inputs) -> Result<Profile> {
        let index = self.prepare(plan, inputs).await?;
        let prepared = &self.prepared[index];
        let tile = tile_of(self.tile, &mut self.trials, prepared);
        self.prepared[index].write_inputs(&self.device, inputs);
        let prepared = &self.prepared[index];
        let watch = self.device.watch();
        let (clock, times) = match Timestamps::new(&self.device, plan.steps.len()) {
            Some(timestamps) => {
                prepared.submit_steps_timed(&self.device, &self.pipelines, tile, &timestamps);
                (Clock::Timestamps, timestamps.read(&self.device).await)
            }
            None => (Clock::Submits, prepared.time_submits(&self.device, &self.pipelines, tile).await),
        };
        watch.end(prepared.name(), prepared.bytes()).await?;
        let times = times?;
        self.device.check("profile")?;
        let kernels = prepared.kernels(&self.pipelines, tile);
        let steps = kernels.zip(times).map(|(kernel, milliseconds)| StepTime { kernel, milliseconds });
        Ok(Profile { clock, steps: steps.collect() })
    }
}
