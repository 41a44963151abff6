//! The result as JSON, in the same format as in `www/bench/`.

use std::time::SystemTime;

use mobilebert::benchmark::{AdapterLimits, Benchmark, Check, KernelProfile, Parts};
use mobilebert::session::DeviceReport;
use serde::Serialize;

use super::overhead::AdapterFigures;

/// Version of the JSON format.
const FORMAT: u32 = 1;

/// The whole report.
#[derive(Serialize)]
pub struct Report {
    format: u32,
    tool: Tool,
    /// Seconds since 1970, UTC.
    made: u64,
    system: System,
    mode: &'static str,
    void: Option<String>,
    /// Overhead and limits of the GPU.
    pub adapter: Option<AdapterFigures>,
    /// The measured models.
    pub models: Vec<ModelResult>,
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

/// Measurements of one model.
#[derive(Serialize)]
pub struct ModelResult {
    name: String,
    pub title: String,
    seed: Option<u64>,
    pub architecture: String,
    pub parameters: u64,
    /// Bytes of the parameters on the device.
    pub weight_bytes: u64,
    pub device: DeviceReport,
    /// Number of CPU threads used; `None` on a GPU.
    pub threads: Option<usize>,
    pub schedule: String,
    pub cold: Cold,
    pub warm: Vec<Row>,
    sustained: Option<()>,
    /// The GPU's limits, measured along with profiles.
    pub limits: Option<AdapterLimits>,
    /// The time of every kernel, if requested: parallel to `warm`.
    pub profiles: Option<Vec<KernelProfile>>,
}

/// Milliseconds from start to the first results. Parts that don't apply are `None`.
#[derive(Default, Serialize)]
pub struct Cold {
    /// Loading the wasm module.
    pub module_ms: Option<f64>,
    /// Reading the model's files.
    pub download_ms: Option<f64>,
    /// Generating weights.
    pub generate_ms: Option<f64>,
    /// Hashing the files.
    pub verify_ms: Option<f64>,
    /// Folding, packing and uploading weights.
    pub upload_ms: f64,
    /// Finding the device and compiling its kernels.
    pub compile_ms: f64,
    /// The first run with the first length.
    pub first_ms: f64,
    /// The total.
    pub total_ms: f64,
}

/// Measurements of one length and batch size, in milliseconds.
#[derive(Serialize)]
pub struct Row {
    pub sequence: usize,
    pub batch: usize,
    pub runs: usize,
    /// The first run with this length.
    pub first_ms: f64,
    pub min_ms: f64,
    pub median_ms: f64,
    pub p90_ms: f64,
    runs_ms: Vec<f64>,
    pub dispatches: usize,
    /// Bytes of activations of a run.
    pub activation_bytes: u64,
    /// CPU, GPU and readback time of a run; `None` on the CPU executor.
    pub parts: Option<Parts>,
    /// Comparison with the stored logits, if there are any.
    pub check: Option<Check>,
    /// The paper's measurement.
    pub paper_ms: Option<f64>,
}

impl Cold {
    /// Adds the first run, which ends the cold start.
    pub fn ends(&mut self, first_ms: f64) {
        let parts = [self.module_ms, self.download_ms, self.generate_ms, self.verify_ms];
        self.first_ms = first_ms;
        self.total_ms =
            parts.into_iter().flatten().sum::<f64>() + self.upload_ms + self.compile_ms + first_ms;
    }
}

impl Row {
    /// A row for at least one warm run.
    pub fn new(sequence: usize, batch: usize, first_ms: f64, runs_ms: Vec<f64>) -> Self {
        let mut sorted = runs_ms.clone();
        sorted.sort_by(f64::total_cmp);
        // The nearest rank, as on the page.
        let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize];
        let (min_ms, median_ms, p90_ms) = (at(0.0), at(0.5), at(0.9));
        Row {
            sequence,
            batch,
            runs: runs_ms.len(),
            first_ms,
            min_ms,
            median_ms,
            p90_ms,
            runs_ms,
            dispatches: 0,
            activation_bytes: 0,
            parts: None,
            check: None,
            paper_ms: None,
        }
    }
}

impl ModelResult {
    /// The measurements of a model.
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
            weight_bytes: benchmark.weight_bytes(),
            device: benchmark.device().clone(),
            threads: benchmark.threads(),
            schedule: benchmark.schedules().describe(),
            cold,
            warm,
            sustained: None,
            limits: None,
            profiles: None,
        }
    }
}

impl Report {
    /// The report of a measurement that just ended.
    pub fn new(models: Vec<ModelResult>, adapter: Option<AdapterFigures>) -> Self {
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
            adapter,
            models,
        }
    }
}
