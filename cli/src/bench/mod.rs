//! `bench`: cold start and latency by sequence length, of a model or of generated weights. The JSON format is
//! that of the latency page, described by `docs/bench-result.schema.json`.

mod load;
mod logits;
mod overhead;
mod print;
mod report;
mod variants;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::value_parser;
use mobilebert::benchmark::{self, Benchmark, Check, Stored, Variant};
use mobilebert::config::Config;
use mobilebert::error::{Error, Result};
use mobilebert::session::SessionOptions;

use crate::arguments::Machine;
use crate::output::{Output, progress};
use crate::output_file::OutputFile;
use load::LoadedBenchmark;
use logits::LogitsFile;
use report::{ModelResult, Report, Row};

/// Number of warm-up runs after the first run, to let caches and clock rates settle.
const WARM_UP: usize = 1;
/// Default sequence lengths.
const LENGTHS: [usize; 5] = [64, 128, 256, 384, 512];
/// Maximum number of profiled runs, and of runs measured in parts.
const PROFILED_RUNS: usize = 5;
/// Maximum number of runs.
const MAX_RUNS: i64 = 1_000_000;
/// Seed of generated weights.
const SEED: u64 = 1;

/// Arguments of `bench`.
#[derive(clap::Args)]
#[group(id = "source", multiple = false, args = ["model", "config", "variant"])]
pub struct Arguments {
    /// A model directory
    #[arg(long, value_name = "DIR", required_unless_present_any = ["config", "variant", "overhead"])]
    model: Option<PathBuf>,
    /// A config.json; its weights are generated
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Networks of the paper at full size, with generated weights and checked results: mobilebert, tiny, no-norm-gelu,
    /// layer-norm-relu, without-opt, bert-base, or all
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = variants::parse)]
    variant: Vec<variants::Named>,
    /// Sequence lengths [default: 64,128,256,384,512, limited by the model's positions]
    #[arg(long, value_name = "N,…", value_delimiter = ',')]
    sequence: Vec<NonZeroUsize>,
    /// Sequences per run
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1", value_parser = value_parser!(u16).range(1..))]
    batch: Vec<u16>,
    /// Runs of each length and batch
    #[arg(long, value_name = "N", default_value = "20", value_parser = value_parser!(u32).range(1..=MAX_RUNS))]
    runs: u32,
    /// Add the time of every kernel, compared with the adapter's limits
    #[arg(long)]
    profile: bool,
    /// Add the cost of an empty dispatch on the GPU, and the GPU's limits; needs no model
    #[arg(long)]
    overhead: bool,
    /// Write the logits of every variant and length, in the format of the stored ones
    #[arg(long, value_name = "FILE", requires = "variant")]
    logits: Option<PathBuf>,
    /// One line of JSON instead of a table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    machine: Machine,
}

/// One of the models to measure.
enum Subject<'a> {
    Directory(PathBuf),
    Config(PathBuf),
    Variant(&'a Variant),
}

impl Arguments {
    /// Loads or generates each model and measures it.
    pub fn run(self) -> Result<()> {
        let create = |path| OutputFile::create("logits", path, &[]);
        let file = self.logits.as_deref().map(create).transpose()?;
        let variants = benchmark::variants()?;
        let named = || variants.iter().filter(|variant| self.variant.iter().any(|name| name.fits(variant)));
        let subjects: Vec<Subject> = match (&self.model, &self.config) {
            (Some(directory), _) => vec![Subject::Directory(directory.clone())],
            (None, Some(config)) => vec![Subject::Config(config.clone())],
            (None, None) => named().map(Subject::Variant).collect(),
        };
        let overhead = if self.overhead { Some(overhead::measure(self.machine.device)?) } else { None };
        let stored = benchmark::stored()?;
        let mut logits = LogitsFile::default();
        let mut models = Vec::new();
        for subject in &subjects {
            models.push(self.measure(subject, &stored, &mut logits)?);
        }
        if let Some(file) = file {
            file.write(&logits.to_json()?)?;
        }
        let report = Report::new(models, overhead);
        let mut output = Output::new();
        if self.json { output.json(&report) } else { report.print(&mut output) }
    }

    fn measure(&self, subject: &Subject, stored: &Stored, logits: &mut LogitsFile) -> Result<ModelResult> {
        let LoadedBenchmark { mut benchmark, mut cold } = subject.load(&self.options())?;
        let variant = subject.variant();
        let lengths = self.lengths(benchmark.session().limits().max_sequence)?;
        let rows = lengths.len() * self.batch.len();
        let bar = progress(rows * (self.runs() + WARM_UP + 1), "runs");
        let limits = match self.profile {
            true => pollster::block_on(benchmark.adapter_limits())?,
            false => None,
        };
        let mut warm = Vec::new();
        let mut profiles = self.profile.then(Vec::new);
        for &sequence in &lengths {
            for batch in self.batch.iter().copied().map(usize::from) {
                let known = variant.map(|variant| (variant, stored));
                let row = self.time(&mut benchmark, (sequence, batch), known, logits, &bar)?;
                if warm.is_empty() {
                    cold.ends(row.first_ms);
                }
                warm.push(row);
                if let Some(profiles) = &mut profiles {
                    let runs = PROFILED_RUNS.min(self.runs());
                    let profile = benchmark.profile(sequence, batch, runs, limits.as_ref());
                    profiles.push(pollster::block_on(profile)?);
                }
            }
        }
        bar.finish_and_clear();
        let (name, title) = subject.names();
        let seed = (!matches!(subject, Subject::Directory(_))).then_some(SEED);
        let mut result = ModelResult::new(name, title, seed, &benchmark, cold, warm);
        result.limits = limits;
        result.profiles = profiles;
        Ok(result)
    }

    fn runs(&self) -> usize {
        self.runs as usize
    }

    /// The session's options. Always requests timestamps, which separate GPU time from the rest of a run.
    fn options(&self) -> SessionOptions {
        SessionOptions { profiling: true, ..self.machine.options() }
    }

    /// The requested lengths, checked before anything is measured.
    fn lengths(&self, longest: usize) -> Result<Vec<usize>> {
        if self.sequence.is_empty() {
            let lengths: Vec<usize> = LENGTHS.into_iter().filter(|&length| length <= longest).collect();
            return Ok(if lengths.is_empty() { vec![longest] } else { lengths });
        }
        let lengths: Vec<usize> = self.sequence.iter().map(|length| length.get()).collect();
        match lengths.iter().find(|&&length| length > longest) {
            Some(length) => {
                let problem = format!("{length}; this model takes 1 to {longest} tokens");
                Err(Error::invalid_input("sequence", problem))
            }
            None => Ok(lengths),
        }
    }

    fn time(
        &self,
        benchmark: &mut Benchmark,
        (sequence, batch): (usize, usize),
        known: Option<(&Variant, &Stored)>,
        logits: &mut LogitsFile,
        bar: &indicatif::ProgressBar,
    ) -> Result<Row> {
        let mut milliseconds = Vec::new();
        let mut check = None;
        for _ in 0..1 + WARM_UP + self.runs() {
            let run = pollster::block_on(benchmark.run(sequence, batch))?;
            if let Some((variant, _)) = known
                && milliseconds.is_empty()
            {
                logits.take(&variant.name, sequence, &run.outputs);
            }
            milliseconds.push(run.milliseconds);
            let expected = known.and_then(|(variant, stored)| stored.get(&variant.name, sequence));
            if let (Some((_, stored)), Some(expected)) = (known, expected) {
                let found = Check::of(&run.outputs, expected, stored.allowed);
                check = Some(worse(check, found));
            }
            bar.inc(1);
        }
        let warm = milliseconds.split_off(1 + WARM_UP);
        let mut row = Row::new(sequence, batch, milliseconds[0], warm);
        row.check = check;
        row.paper_ms = known.and_then(|(variant, _)| variant.paper_ms(sequence, batch));
        row.dispatches = benchmark.dispatches(sequence, batch)?;
        row.activation_bytes = benchmark.activation_bytes(sequence, batch)?;
        if batch.is_power_of_two() {
            let parts = benchmark.parts(sequence, batch, PROFILED_RUNS.min(self.runs()));
            row.parts = pollster::block_on(parts)?;
        }
        Ok(row)
    }
}

impl Subject<'_> {
    fn load(&self, options: &SessionOptions) -> Result<LoadedBenchmark> {
        match self {
            Subject::Directory(directory) => load::directory(directory, options),
            Subject::Config(path) => load::seeded(&read_config(path)?, SEED, options),
            Subject::Variant(variant) => load::seeded(&variant.config()?, SEED, options),
        }
    }

    fn variant(&self) -> Option<&Variant> {
        match self {
            Subject::Variant(variant) => Some(variant),
            Subject::Directory(_) | Subject::Config(_) => None,
        }
    }

    /// Name and title.
    fn names(&self) -> (String, String) {
        match self {
            Subject::Variant(variant) => (variant.name.clone(), variant.title.clone()),
            Subject::Directory(path) | Subject::Config(path) => {
                let shown = path.display().to_string();
                (shown.clone(), shown)
            }
        }
    }
}

/// The worse of two checks.
fn worse(before: Option<Check>, now: Check) -> Check {
    before.filter(|before| before.difference >= now.difference).unwrap_or(now)
}

fn read_config(path: &Path) -> Result<Config> {
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
