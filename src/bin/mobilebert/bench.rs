//! `bench`: latency by sequence length, of a model or of a mere configuration with weights made on the spot.

use std::path::{Path, PathBuf};
use std::time::Instant;

use mobilebert::config::Config;
use mobilebert::error::{Error, Result};
use mobilebert::model::Model;
use mobilebert::plan::{Network, ParameterId};
use mobilebert::session::{DeviceReport, Limits, Sequence, Session, Started, Wanted};
use mobilebert::weights::Tensor;
use mobilebert::weights::generator::Generator;
use serde::Serialize;

use crate::arguments::Machine;
use crate::output::{Output, progress};

/// Runs before the clock counts: plans, buffers and caches are made in them.
const WARM_UP: usize = 2;
const SEED: u64 = 1;

/// Arguments of `bench`.
#[derive(clap::Args)]
#[group(id = "source", required = true, multiple = false, args = ["model", "config"])]
pub struct Arguments {
    /// A model directory
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// A config.json; its weights are made on the spot
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Sequence lengths
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_values_t = [16, 128, 384])]
    sequence: Vec<usize>,
    /// Sequences side by side
    #[arg(long, value_name = "N", default_value = "1")]
    batch: std::num::NonZeroUsize,
    /// Runs of each length
    #[arg(long, value_name = "N", default_value = "20")]
    runs: std::num::NonZeroUsize,
    /// One line of JSON instead of a table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    machine: Machine,
}

/// What is printed.
#[derive(Serialize)]
struct Report {
    architecture: String,
    device: DeviceReport,
    schedule: String,
    latency: Vec<Row>,
}

/// Milliseconds of one length, by the wall clock, readback included.
#[derive(Serialize)]
struct Row {
    sequence: usize,
    batch: usize,
    runs: usize,
    first_ms: f64,
    min_ms: f64,
    median_ms: f64,
    p90_ms: f64,
}

impl Arguments {
    /// Loads or makes the model, times it.
    pub fn run(self) -> Result<()> {
        let mut model;
        let mut made;
        let (config, session) = match (&self.model, &self.config) {
            (Some(directory), _) => {
                model = pollster::block_on(Model::open(directory, &self.machine.options()))?;
                (model.config().clone(), model.session())
            }
            (None, config) => {
                let config = read_config(config.as_deref().unwrap_or(Path::new("config.json")))?;
                made = self.make(&config)?;
                (config, &mut made)
            }
        };
        let bar = progress(self.sequence.len() * (self.runs.get() + WARM_UP), "runs");
        let latency =
            self.sequence.iter().map(|&length| self.time(session, length, &bar)).collect::<Result<_>>()?;
        bar.finish_and_clear();
        let report = Report {
            architecture: config.architecture(),
            device: session.device().clone(),
            schedule: format!("{:?}", self.machine.schedule()).to_lowercase(),
            latency,
        };
        let mut output = Output::new();
        if self.json { output.json(&report) } else { report.print(&mut output) }
    }

    /// A session whose parameters are seeded random numbers.
    fn make(&self, config: &Config) -> Result<Session> {
        let network = Network::of(config)?;
        let limits = Limits {
            vocab_size: config.vocab_size,
            type_vocab_size: config.type_vocab_size,
            max_sequence: config.max_position_embeddings,
        };
        let parameters: Vec<(String, Vec<usize>)> = network
            .parameters
            .iter()
            .map(|parameter| (parameter.name.clone(), parameter.shape.clone()))
            .collect();
        let started = pollster::block_on(Started::new(&self.machine.options()))?;
        let mut session = started.with_network(network, limits)?;
        let generator = Generator::new(SEED);
        for (index, (name, shape)) in parameters.into_iter().enumerate() {
            let data = generator.tensor(&name, &shape);
            session.load(ParameterId(index), Tensor { shape, data })?;
        }
        Ok(session)
    }

    fn time(&self, session: &mut Session, length: usize, bar: &indicatif::ProgressBar) -> Result<Row> {
        let vocabulary = session.limits().vocab_size;
        let ids: Vec<u32> = (0..length).map(|position| (7919 * position % vocabulary) as u32).collect();
        let sequences = vec![Sequence::new(ids, vec![0; length]); self.batch.get()];
        let mut milliseconds = Vec::new();
        for _ in 0..WARM_UP + self.runs.get() {
            let before = Instant::now();
            pollster::block_on(session.run(&sequences, Wanted::default()))?;
            milliseconds.push(1e3 * before.elapsed().as_secs_f64());
            bar.inc(1);
        }
        let first_ms = milliseconds[0];
        let mut warm = milliseconds.split_off(WARM_UP);
        warm.sort_by(f64::total_cmp);
        let at = |share: f64| warm[((warm.len() - 1) as f64 * share).round() as usize];
        let (batch, runs) = (self.batch.get(), self.runs.get());
        Ok(Row {
            sequence: length,
            batch,
            runs,
            first_ms,
            min_ms: warm[0],
            median_ms: at(0.5),
            p90_ms: at(0.9),
        })
    }
}

fn read_config(path: &Path) -> Result<Config> {
    let json =
        std::fs::read(path).map_err(|source| Error::Io { file: path.display().to_string(), source })?;
    Config::from_json(json)
}

impl Report {
    fn print(&self, output: &mut Output) -> Result<()> {
        let kind = format!("{:?}", self.device.kind).to_lowercase();
        output.line(&format!(
            "{} on {kind} ({}), schedule {}",
            self.architecture, self.device.reason, self.schedule
        ))?;
        output.line("sequence  batch  runs     first       min    median       p90  (milliseconds)")?;
        for row in &self.latency {
            output.line(&format!(
                "{:8} {:6} {:5} {:9.2} {:9.2} {:9.2} {:9.2}",
                row.sequence, row.batch, row.runs, row.first_ms, row.min_ms, row.median_ms, row.p90_ms
            ))?;
        }
        output.flush()
    }
}
