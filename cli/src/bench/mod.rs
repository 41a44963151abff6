//! `bench`: cold start and latency by sequence length, of a model or of weights made on the spot. The JSON is that of
//! the latency page; `docs/bench-result.schema.json` describes it.

mod load;
mod report;
mod variants;

use std::path::PathBuf;

use mobilebert::benchmark::{self, Benchmark, Check, Stored, Variant};
use mobilebert::config::Config;
use mobilebert::error::{Error, Result};

use crate::arguments::Machine;
use crate::output::{Output, progress};
use load::Loaded;
use report::{ModelResult, Report, Row};

/// Runs after the first and before the clock counts: caches and clock rates settle in them.
const WARM_UP: usize = 1;
/// Sequence lengths where none are given.
const LENGTHS: [usize; 4] = [64, 128, 256, 384];
/// Seed of all weights that are made on the spot.
const SEED: u64 = 1;

/// Arguments of `bench`.
#[derive(clap::Args)]
#[group(id = "source", required = true, multiple = false, args = ["model", "config", "variant"])]
pub struct Arguments {
    /// A model directory
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// A config.json; its weights are made on the spot
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Networks of the paper at full size, their weights made on the spot and their results checked: mobilebert, tiny,
    /// no-norm-gelu, layer-norm-relu, without-opt, bert-base, or all
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = variants::parse)]
    variant: Vec<variants::Named>,
    /// Sequence lengths [default: 64,128,256,384, as far as the model has positions]
    #[arg(long, value_name = "N,…", value_delimiter = ',')]
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

/// What is measured, one after another.
enum Subject<'a> {
    Directory(PathBuf),
    Config(PathBuf),
    Variant(&'a Variant),
}

impl Arguments {
    /// Loads or makes each model, times it.
    pub fn run(self) -> Result<()> {
        let variants = benchmark::variants()?;
        let named = || variants.iter().filter(|variant| self.variant.iter().any(|name| name.fits(variant)));
        let subjects: Vec<Subject> = match (&self.model, &self.config) {
            (Some(directory), _) => vec![Subject::Directory(directory.clone())],
            (None, Some(config)) => vec![Subject::Config(config.clone())],
            (None, None) => named().map(Subject::Variant).collect(),
        };
        let stored = benchmark::stored()?;
        let mut models = Vec::new();
        for subject in &subjects {
            models.push(self.measure(subject, &stored)?);
        }
        let report = Report::new(models);
        let mut output = Output::new();
        if self.json { output.json(&report) } else { report.print(&mut output) }
    }

    fn measure(&self, subject: &Subject, stored: &Stored) -> Result<ModelResult> {
        let options = self.machine.options();
        let loaded = match subject {
            Subject::Directory(directory) => load::directory(directory, &options)?,
            Subject::Config(path) => load::seeded(&read_config(path)?, SEED, &options)?,
            Subject::Variant(variant) => load::seeded(&variant.config()?, SEED, &options)?,
        };
        let Loaded { mut benchmark, mut cold } = loaded;
        let variant = match subject {
            Subject::Variant(variant) => Some(*variant),
            Subject::Directory(_) | Subject::Config(_) => None,
        };
        let lengths = self.lengths(benchmark.session().limits().max_sequence)?;
        let bar = progress(lengths.len() * (self.runs.get() + WARM_UP + 1), "runs");
        let mut warm = Vec::new();
        for sequence in lengths {
            let row = self.time(&mut benchmark, sequence, variant.map(|variant| (variant, stored)), &bar)?;
            if warm.is_empty() {
                cold.ends(row.first_ms);
            }
            warm.push(row);
        }
        bar.finish_and_clear();
        let (name, title) = match subject {
            Subject::Variant(variant) => (variant.name.clone(), variant.title.clone()),
            Subject::Directory(path) | Subject::Config(path) => {
                let shown = path.display().to_string();
                (shown.clone(), shown)
            }
        };
        let seed = (!matches!(subject, Subject::Directory(_))).then_some(SEED);
        Ok(ModelResult::new(name, title, seed, &benchmark, cold, warm))
    }

    /// The lengths asked for, checked before anything is measured.
    fn lengths(&self, longest: usize) -> Result<Vec<usize>> {
        if self.sequence.is_empty() {
            let lengths: Vec<usize> = LENGTHS.into_iter().filter(|&length| length <= longest).collect();
            return Ok(if lengths.is_empty() { vec![longest] } else { lengths });
        }
        match self.sequence.iter().find(|&&length| length == 0 || length > longest) {
            Some(length) => {
                let problem = format!("{length}; this model takes 1 to {longest} tokens");
                Err(Error::invalid_input("sequence", problem))
            }
            None => Ok(self.sequence.clone()),
        }
    }

    fn time(
        &self,
        benchmark: &mut Benchmark,
        sequence: usize,
        known: Option<(&Variant, &Stored)>,
        bar: &indicatif::ProgressBar,
    ) -> Result<Row> {
        let batch = self.batch.get();
        let mut milliseconds = Vec::new();
        let mut check = None;
        for _ in 0..1 + WARM_UP + self.runs.get() {
            let run = pollster::block_on(benchmark.run(sequence, batch))?;
            milliseconds.push(run.milliseconds);
            let logits = known.and_then(|(variant, stored)| stored.get(&variant.name, sequence));
            if let (Some((_, stored)), Some(logits)) = (known, logits) {
                let found = Check::of(&run.outputs, logits, stored.allowed);
                check = Some(worse(check, found));
            }
            bar.inc(1);
        }
        let warm = milliseconds.split_off(1 + WARM_UP);
        let paper_ms = known.and_then(|(variant, _)| variant.paper_ms(sequence, batch));
        let dispatches = benchmark.dispatches(sequence)?;
        Ok(Row::new(sequence, batch, milliseconds[0], warm, dispatches, check, paper_ms))
    }
}

/// Of two runs the one that was further off.
fn worse(before: Option<Check>, now: Check) -> Check {
    before.filter(|before| before.difference >= now.difference).unwrap_or(now)
}

fn read_config(path: &std::path::Path) -> Result<Config> {
    let json =
        std::fs::read(path).map_err(|source| Error::Io { file: path.display().to_string(), source })?;
    Config::from_json(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wrong_run_among_right_ones_counts() {
        let check = |difference: f64| Check { right: difference <= 1.0, difference, allowed: 1.0 };
        let all = [0.5, f64::INFINITY, 0.1].map(check);
        let found = all.into_iter().fold(None, |before, now| Some(worse(before, now)));
        assert!(!found.unwrap().right);
    }
}
