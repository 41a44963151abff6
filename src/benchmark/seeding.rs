//! A network whose weights are made on the spot, a tensor a step, so that no more than one stands in memory twice.

use super::Benchmark;
use crate::clock::now_ms;
use crate::config::Config;
use crate::error::Result;
use crate::plan::{Network, Schedule, Source};
use crate::session::{Limits, Session, SessionOptions, Started};
use crate::weights::{Assembler, Generator};

/// Fills a session from a seed.
pub struct Seeding {
    session: Session,
    schedule: Schedule,
    assembler: Assembler,
    generator: Generator,
    /// What is still to be made; the last is next.
    left: Vec<Source>,
    values: usize,
    times: SeedingTimes,
}

/// Where the time went, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SeedingTimes {
    /// Finding the device and compiling its kernels.
    pub compile: f64,
    /// Making the weights.
    pub generate: f64,
    /// Folding them and handing them to the device.
    pub upload: f64,
}

impl Seeding {
    /// Finds the device and compiles its kernels; no weight is made yet.
    ///
    /// # Errors
    /// Where the configuration cannot be built or the device is not there.
    pub async fn new(config: &Config, seed: u64, options: &SessionOptions) -> Result<Self> {
        let network = Network::of(config)?;
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
        let before = now_ms();
        let started = Started::new(options).await?;
        let times = SeedingTimes { compile: now_ms() - before, ..SeedingTimes::default() };
        let session = started.with_network(network, limits)?;
        let (schedule, generator) = (options.schedule, Generator::new(seed));
        Ok(Seeding { session, schedule, assembler, generator, left, values, times })
    }

    /// Makes the next tensor; gives the share of all values that stand, 1 at the end.
    ///
    /// # Errors
    /// Where the device has no room for it.
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

    /// Makes what is left, and waits until the device has it.
    ///
    /// # Errors
    /// As [`Seeding::step`].
    pub async fn finish(mut self) -> Result<(Benchmark, SeedingTimes)> {
        while !self.left.is_empty() {
            self.step()?;
        }
        let before = now_ms();
        self.assembler.finish()?;
        self.session.settle().await?;
        self.times.upload += now_ms() - before;
        Ok((Benchmark { session: self.session, schedule: self.schedule }, self.times))
    }
}
