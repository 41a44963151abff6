//! A network with generated weights: one tensor per step, so that at most one is in memory twice.

use super::Benchmark;
use crate::clock::now_ms;
use crate::config::Config;
use crate::error::Result;
use crate::plan::{Network, Source};
use crate::session::{DeviceKind, Limits, PendingSession, Session, SessionOptions};
use crate::weights::{Assembler, Generator, WeightFormat};

/// Generates a session's weights from a seed.
pub struct Seeding {
    session: Session,
    assembler: Assembler,
    generator: Generator,
    /// The tensors still to be generated, in reverse order.
    left: Vec<Source>,
    values: usize,
    times: SeedingTimes,
}

/// Durations in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SeedingTimes {
    /// Finding the device and compiling its kernels.
    pub compile: f64,
    /// Generating the weights.
    pub generate: f64,
    /// Folding and uploading them.
    pub upload: f64,
}

impl Seeding {
    /// Finds the device, chooses its schedules, and compiles its kernels; doesn't generate weights yet.
    ///
    /// # Errors
    /// If the configuration isn't supported or the device isn't available.
    pub async fn new(config: &Config, seed: u64, options: &SessionOptions) -> Result<Self> {
        let before = now_ms();
        let plain = Network::of(config)?;
        let mut started = PendingSession::new(options).await?;
        started.choose(&plain, WeightFormat::F32, None).await?;
        let on_gpu = started.device().kind == DeviceKind::Gpu;
        let network = if on_gpu { plain.folded()? } else { plain };
        let times = SeedingTimes { compile: now_ms() - before, ..SeedingTimes::default() };
        let mut left: Vec<Source> = Vec::new();
        for source in network.parameters.iter().flat_map(|parameter| parameter.recipe.sources()) {
            if left.iter().all(|other| other.name() != source.name()) {
                left.push(source.clone());
            }
        }
        left.reverse();
        let values = left.iter().map(Source::len).sum();
        let assembler = Assembler::new(&network);
        let limits = Limits {
            vocab_size: config.vocab_size,
            type_vocab_size: config.type_vocab_size,
            max_sequence: config.max_position_embeddings,
        };
        let session = started.with_network(network, limits)?;
        let generator = Generator::new(seed);
        Ok(Seeding { session, assembler, generator, left, values, times })
    }

    /// Number of kernels compiled so far.
    #[doc(hidden)] // For tests: results don't show it.
    pub fn compiled(&self) -> usize {
        self.session.executor().compiled()
    }

    /// Generates the next tensor. Returns the fraction of all values generated so far, 1 at the end.
    ///
    /// # Errors
    /// [`crate::error::Error::OutOfMemory`].
    pub fn step(&mut self) -> Result<f64> {
        let Some(source) = self.left.pop() else { return Ok(1.0) };
        let before = now_ms();
        let raw = self.generator.raw(source.name(), &source.shape);
        let made = now_ms();
        self.assembler.push(raw)?;
        while let Some((id, values)) = self.assembler.next_ready()? {
            self.session.load(id, values)?;
        }
        self.times.generate += made - before;
        self.times.upload += now_ms() - made;
        let left: usize = self.left.iter().map(Source::len).sum();
        Ok(1.0 - left as f64 / self.values as f64)
    }

    /// Generates the remaining tensors and waits until the device has them.
    ///
    /// # Errors
    /// Same as [`Seeding::step`].
    pub async fn finish(mut self) -> Result<(Benchmark, SeedingTimes)> {
        while !self.left.is_empty() {
            self.step()?;
        }
        let before = now_ms();
        self.assembler.finish()?;
        self.session.settle().await?;
        self.times.upload += now_ms() - before;
        Ok((Benchmark { session: self.session }, self.times))
    }
}
