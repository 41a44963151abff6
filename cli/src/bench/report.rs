//! The result, as JSON and as a table. `www/bench/` writes the same JSON.

use std::time::SystemTime;

use mobilebert::benchmark::{Benchmark, Check};
use mobilebert::error::Result;
use mobilebert::session::{DeviceKind, DeviceReport};
use serde::Serialize;

use crate::output::Output;

/// Version of the JSON's shape.
const FORMAT: u32 = 1;

/// What is printed.
#[derive(Serialize)]
pub struct Report {
    format: u32,
    tool: Tool,
    /// Seconds since 1970, UTC.
    made: u64,
    system: System,
    mode: &'static str,
    void: Option<String>,
    models: Vec<ModelResult>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
    kind: &'static str,
}

#[derive(Serialize)]
struct System {
    browser: Option<String>,
    platform: String,
    device_model: Option<String>,
    cores: Option<usize>,
    battery: Option<String>,
}

/// One model's figures.
#[derive(Serialize)]
pub struct ModelResult {
    name: String,
    title: String,
    seed: Option<u64>,
    architecture: String,
    parameters: u64,
    device: DeviceReport,
    schedule: &'static str,
    cold: Cold,
    warm: Vec<Row>,
    sustained: Option<()>,
}

/// Milliseconds from nothing to the first results; none where there was nothing to do.
#[derive(Default, Serialize)]
pub struct Cold {
    /// The wasm module.
    pub module_ms: Option<f64>,
    /// Reading the model's files.
    pub download_ms: Option<f64>,
    /// Making weights.
    pub generate_ms: Option<f64>,
    /// Hashing them.
    pub verify_ms: Option<f64>,
    /// Folding and packing weights, handing them to the device.
    pub upload_ms: f64,
    /// Finding the device and compiling its kernels.
    pub compile_ms: f64,
    /// The first run, of the first length.
    pub first_ms: f64,
    /// All of it.
    pub total_ms: f64,
}

/// Milliseconds of one length.
#[derive(Serialize)]
pub struct Row {
    sequence: usize,
    batch: usize,
    runs: usize,
    /// The first run of this length.
    pub first_ms: f64,
    min_ms: f64,
    median_ms: f64,
    p90_ms: f64,
    runs_ms: Vec<f64>,
    dispatches: usize,
    check: Option<Check>,
    paper_ms: Option<f64>,
}

impl Cold {
    /// The first run ends the cold start.
    pub fn ends(&mut self, first_ms: f64) {
        let parts = [self.module_ms, self.download_ms, self.generate_ms, self.verify_ms];
        self.first_ms = first_ms;
        self.total_ms =
            parts.into_iter().flatten().sum::<f64>() + self.upload_ms + self.compile_ms + first_ms;
    }
}

impl Row {
    /// Of at least one warm run.
    pub fn new(
        sequence: usize,
        batch: usize,
        first_ms: f64,
        runs_ms: Vec<f64>,
        dispatches: usize,
        check: Option<Check>,
        paper_ms: Option<f64>,
    ) -> Self {
        let mut sorted = runs_ms.clone();
        sorted.sort_by(f64::total_cmp);
        // The nearest rank, which the page takes, too.
        let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize];
        let (min_ms, median_ms, p90_ms) = (at(0.0), at(0.5), at(0.9));
        let runs = runs_ms.len();
        Row {
            sequence,
            batch,
            runs,
            first_ms,
            min_ms,
            median_ms,
            p90_ms,
            runs_ms,
            dispatches,
            check,
            paper_ms,
        }
    }
}

impl ModelResult {
    /// The figures beside what they are of.
    pub fn new(
        name: String,
        title: String,
        seed: Option<u64>,
        benchmark: &Benchmark,
        cold: Cold,
        warm: Vec<Row>,
    ) -> Self {
        ModelResult {
            name,
            title,
            seed,
            architecture: benchmark.architecture(),
            parameters: benchmark.parameters(),
            device: benchmark.device().clone(),
            schedule: benchmark.schedule().as_str(),
            cold,
            warm,
            sustained: None,
        }
    }

    fn print(&self, output: &mut Output) -> Result<()> {
        let on = match (self.device.kind, &self.device.adapter) {
            (DeviceKind::Cpu, _) => "the CPU".to_owned(),
            (DeviceKind::Gpu, adapter) => format!("the GPU {}", adapter.as_deref().unwrap_or_default()),
        };
        output.line(&format!(
            "{} ({}, {:.1} M parameters) on {}: {}; schedule {}",
            self.title,
            self.architecture,
            self.parameters as f64 / 1e6,
            on.trim_end(),
            self.device.reason,
            self.schedule
        ))?;
        let cold = &self.cold;
        let parts = [
            ("read", cold.download_ms),
            ("generate", cold.generate_ms),
            ("verify", cold.verify_ms),
            ("upload", Some(cold.upload_ms)),
            ("compile", Some(cold.compile_ms)),
            ("first run", Some(cold.first_ms)),
            ("in all", Some(cold.total_ms)),
        ];
        let parts = parts.iter().filter_map(|(name, ms)| ms.map(|ms| format!("{name} {ms:.0} ms")));
        output.line(&format!("cold: {}", parts.collect::<Vec<_>>().join(", ")))?;
        output.line(
            "sequence  batch  runs      min   median      p90  dispatches  Pixel 4¹  check  (milliseconds)",
        )?;
        for row in &self.warm {
            row.print(output)?;
        }
        Ok(())
    }
}

impl Row {
    fn print(&self, output: &mut Output) -> Result<()> {
        let check = match self.check {
            None => "-".to_owned(),
            Some(check) => {
                format!("{} ({:.0e})", if check.right { "right" } else { "WRONG" }, check.difference)
            }
        };
        let paper = self.paper_ms.map_or("-".to_owned(), |ms| format!("{ms:.0}"));
        output.line(&format!(
            "{:8} {:6} {:5} {:8.2} {:8.2} {:8.2} {:11} {paper:>9}  {check}",
            self.sequence, self.batch, self.runs, self.min_ms, self.median_ms, self.p90_ms, self.dispatches
        ))
    }
}

impl Report {
    /// The result of a measurement that ended now.
    pub fn new(models: Vec<ModelResult>) -> Self {
        let made =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let platform = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
        let cores = std::thread::available_parallelism().ok().map(Into::into);
        Report {
            format: FORMAT,
            tool: Tool { name: "mobilebert", version: env!("CARGO_PKG_VERSION"), kind: "command line" },
            made,
            system: System { browser: None, platform, device_model: None, cores, battery: None },
            mode: "short",
            void: None,
            models,
        }
    }

    /// The table.
    pub fn print(&self, output: &mut Output) -> Result<()> {
        for model in &self.models {
            model.print(output)?;
            output.line("")?;
        }
        output.line("¹ the paper's own measurement: TensorFlow Lite, four threads, 128 tokens")?;
        output.flush()
    }
}
