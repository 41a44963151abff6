//! Runs two generated layers on both devices, before the model's weights have arrived: with the same kernels,
//! shapes and formats, but a fraction of the memory (two layers on either device, less than a tenth of
//! MobileBERT).

use super::Candidate;
use super::measure::Stage;
use crate::clock::now_ms;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::plan::{Inputs, Network, PAD_ID, Plan, PlanCache, Request, Schedule, Stretch};
use crate::session::{SessionOptions, device};
use crate::weights::{Assembler, Converted, Generator, WeightFormat};
use crate::{cpu, gpu};

const SEED: u64 = 21;

/// Tokens of the proof: a whole tile of 128 keys and a part of another, with padding up to [`PROOF_PADDED`].
const PROOF_TOKENS: usize = 140;
const PROOF_PADDED: usize = 160;

/// The largest allowed difference from the CPU's results, over their root mean square. Both sum in f32, in
/// different orders, and for 8-bit weights the CPU rounds activations. A miscompiled kernel is off by far
/// more.
const TOLERANCE: f32 = 0.01;

/// Two layers on both devices.
pub struct Rehearsal<'a> {
    options: &'a SessionOptions,
    gpu: &'a mut gpu::Executor,
    cpu: cpu::Executor,
    network: Network,
    storage: WeightFormat,
    layers: usize,
    plans: PlanCache,
    /// The CPU's result for the proof.
    expected: Option<Vec<f32>>,
}

impl<'a> Rehearsal<'a> {
    /// Generates two layers of the network described by `config`, stored as `storage`, to be run with
    /// `options`.
    ///
    /// # Errors
    /// Any error that a device reports.
    pub fn new(
        config: &Config,
        storage: WeightFormat,
        options: &'a SessionOptions,
        gpu: &'a mut gpu::Executor,
    ) -> Result<Self> {
        let mut rehearsal = Rehearsal {
            options,
            gpu,
            cpu: options.cpu_executor()?,
            network: Network::rehearsal(config)?,
            storage,
            layers: config.num_hidden_layers,
            plans: PlanCache::default(),
            expected: None,
        };
        rehearsal.load()?;
        Ok(rehearsal)
    }

    /// Frees the GPU's memory; its compiled kernels are kept.
    pub fn end(self) {
        self.gpu.clear();
    }

    /// Compares the results of a schedule with those of the CPU.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if they differ; [`Error::DeviceLost`].
    pub async fn prove_schedule(&mut self, schedule: Schedule) -> Result<()> {
        self.compare(schedule).await.map_err(|error| self.gpu.as_device_lost(error))
    }

    fn load(&mut self) -> Result<()> {
        let mut assembler = Assembler::new(&self.network);
        for raw in Generator::new(SEED).checkpoint(&self.network) {
            let Converted { tensor, scale } = self.storage.convert(raw)?;
            assembler.push(tensor)?;
            scale.map_or(Ok(()), |scale| assembler.push(scale))?;
            while let Some((id, values)) = assembler.next_ready()? {
                let parameter = self.network.parameter(id);
                self.cpu.load(id, parameter, values.clone())?;
                self.gpu.load(id, parameter, values)?;
            }
        }
        assembler.finish()
    }

    fn request(schedule: Schedule, sequence: usize) -> Request {
        Request { batch: 1, sequence, schedule, ..Request::default() }
    }

    /// Inputs of a run with this many tokens, padded.
    fn inputs(&self, tokens: usize, padded: usize) -> Inputs {
        let Config { vocab_size, type_vocab_size, .. } = self.network.config;
        let is_token = |place: usize| place < tokens;
        let id = |place: usize| ((31 * place + 7) % vocab_size) as u32;
        let kind = |place: usize| (place % type_vocab_size.clamp(1, 2)) as u32;
        Inputs {
            input_ids: (0..padded).map(|place| if is_token(place) { id(place) } else { PAD_ID }).collect(),
            token_type_ids: (0..padded).map(kind).collect(),
            attention_mask: (0..padded).map(|place| u32::from(is_token(place))).collect(),
        }
    }

    async fn compare(&mut self, schedule: Schedule) -> Result<()> {
        let longest = self.network.config.max_position_embeddings;
        let (tokens, padded) = (PROOF_TOKENS.min(longest), PROOF_PADDED.min(longest));
        let inputs = self.inputs(tokens, padded);
        if self.expected.is_none() {
            let plan = self.plans.get(&self.network, Self::request(Schedule::Tiled, padded))?;
            self.expected = self.cpu.run(&plan, &inputs)?.into_iter().next();
        }
        let expected = self.expected.as_deref().unwrap_or_default();
        let values = tokens * self.network.config.hidden_size;
        let plan = self.plans.get(&self.network, Self::request(schedule, padded))?;
        for &tile in self.gpu.tiles() {
            let found = self.gpu.run_stretched(&plan, &inputs, tile, &Stretch::NONE).await?;
            let found = found.first().map(Vec::as_slice).unwrap_or_default();
            check(found.get(..values).unwrap_or_default(), expected.get(..values).unwrap_or_default())?;
        }
        Ok(())
    }

    async fn time(&mut self, candidate: Candidate, tokens: usize, times: usize) -> Result<f64> {
        let schedule = candidate.schedule().unwrap_or(Schedule::Tiled);
        let plan = self.plans.get(&self.network, Self::request(schedule, tokens))?;
        let inputs = self.inputs(tokens, tokens);
        let stretch = Stretch { steps: plan.layer_steps(), times };
        if candidate == Candidate::Cpu {
            let before = now_ms();
            self.cpu.run_stretched(&plan, &inputs, &stretch)?;
            return Ok(now_ms() - before);
        }
        let mut fastest = f64::INFINITY;
        for &tile in tiles(self.gpu, &plan) {
            let before = now_ms();
            self.gpu.run_stretched(&plan, &inputs, tile, &stretch).await?;
            fastest = fastest.min(now_ms() - before);
        }
        Ok(fastest)
    }
}

/// The tile sizes that make a difference for this plan.
fn tiles(gpu: &gpu::Executor, plan: &Plan) -> &'static [gpu::Tile] {
    if plan.request.schedule == Schedule::Chain { &[gpu::Tile::Wide] } else { gpu.tiles() }
}

impl Stage for Rehearsal<'_> {
    fn layers(&self) -> usize {
        self.layers
    }

    async fn prove(&mut self, candidate: Candidate) -> Result<()> {
        match candidate.schedule() {
            Some(schedule) => self.prove_schedule(schedule).await,
            None => Ok(()),
        }
    }

    async fn run(&mut self, candidate: Candidate, tokens: usize, times: usize) -> Result<f64> {
        let time = self.time(candidate, tokens, times).await;
        time.map_err(|error| self.gpu.as_device_lost(error))
    }

    async fn replace_device(&mut self) -> Result<()> {
        *self.gpu = gpu::Executor::new(device::request(self.options).await?);
        self.load()
    }
}

/// Compares results with those of the CPU.
///
/// # Errors
/// [`Error::Unsupported`] if they differ by more than [`TOLERANCE`].
fn check(found: &[f32], expected: &[f32]) -> Result<()> {
    let squares: f32 = expected.iter().map(|value| value * value).sum();
    let scale = (squares / expected.len().max(1) as f32).sqrt();
    let mut largest = 0f32;
    for (found, expected) in found.iter().zip(expected) {
        let difference = (found - expected).abs() / scale;
        // `max` would ignore a NaN.
        largest = if difference.is_nan() { f32::INFINITY } else { largest.max(difference) };
    }
    if found.len() == expected.len() && !expected.is_empty() && largest <= TOLERANCE {
        return Ok(());
    }
    let problem = format!("its results differ from the CPU's by {largest:.2} of their magnitude");
    Err(Error::unsupported("this schedule", problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_that_are_missing_nan_or_off_are_wrong() {
        let expected = [1.0, -1.0, 1.0, -1.0];
        check(&expected, &expected).unwrap();
        check(&[1.001, -1.0, 1.0, -1.0], &expected).unwrap();
        for wrong in
            [[1.0, -1.0, 1.0, -1.02], [f32::NAN, -1.0, 1.0, -1.0], [1.0, -1.0, 1.0, f32::INFINITY], [0.0; 4]]
        {
            assert!(check(&wrong, &expected).is_err(), "{wrong:?}");
        }
        assert!(check(&expected[..3], &expected).is_err());
        assert!(check(&[], &[]).is_err());
    }
}
