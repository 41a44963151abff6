//! The result as JSON. `www/bench/` writes the same.

use std::time::SystemTime;

use mobilebert::benchmark::{AdapterLimits, Benchmark, Check, KernelProfile, Parts};
use mobilebert::session::DeviceReport;
use serde::Serialize;

use super::overhead::AdapterFigures;

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
    /// What the GPU costs and can do by itself.
    pub adapter: Option<AdapterFigures>,
    /// What was measured.
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

/// One model's figures.
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
    pub schedule: &'static str,
    pub cold: Cold,
    pub warm: Vec<Row>,
    sustained: Option<()>,
    /// What the GPU can do at best; measured with profiles.
    pub limits: Option<AdapterLimits>,
    /// The time of every kernel, where that was asked for: parallel to `warm`.
    pub profiles: Option<Vec<KernelProfile>>,
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

/// Milliseconds of one length and batch.
#[derive(Serialize)]
pub struct Row {
    pub sequence: usize,
    pub batch: usize,
    pub runs: usize,
    /// The first run of this length.
    pub first_ms: f64,
    pub min_ms: f64,
    pub median_ms: f64,
    pub p90_ms: f64,
    runs_ms: Vec<f64>,
    pub dispatches: usize,
    /// Bytes of activations that a run holds.
    pub activation_bytes: u64,
    /// How a run divides between CPU, GPU and readback; none on the CPU.
    pub parts: Option<Parts>,
    /// Comparison with the stored logits, where there are some.
    pub check: Option<Check>,
    /// The paper's figure.
    pub paper_ms: Option<f64>,
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
    pub fn new(sequence: usize, batch: usize, first_ms: f64, runs_ms: Vec<f64>) -> Self {
        let mut sorted = runs_ms.clone();
        sorted.sort_by(f64::total_cmp);
        // The nearest rank, as the page computes it.
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
            weight_bytes: benchmark.weight_bytes(),
            device: benchmark.device().clone(),
            schedule: benchmark.schedule().as_str(),
            cold,
            warm,
            sustained: None,
            limits: None,
            profiles: None,
        }
    }
}

impl Report {
    /// The result of a measurement that ended now.
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
