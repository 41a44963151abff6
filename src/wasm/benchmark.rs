//! The API for the latency page: weights generated one tensor per step, and single runs over fixed ids.

use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use super::convert::{object, parse};
use super::helpers::SharedMemory;
use super::loader::WasmLoader;
use super::model::{device_object, memory_object};
use super::options::LoadOptions;
use crate::benchmark::{AdapterLimits, Benchmark, Check, Logits, Run, Seeding};
use crate::config::Config;
use crate::plan::Schedule;

/// Generates a network's weights.
#[wasm_bindgen(js_name = Seeding)]
pub struct WasmSeeding(Seeding);

/// Durations in milliseconds.
#[derive(Serialize)]
struct Times {
    compile: f64,
    generate: f64,
    upload: f64,
}

#[wasm_bindgen(js_class = Loader)]
impl WasmLoader {
    /// The model as a benchmark; it needs no tokenizer.
    #[wasm_bindgen(js_name = finishBenchmark)]
    pub async fn finish_benchmark(self) -> Result<WasmBenchmark, JsValue> {
        let model = self.loader.finish().await?;
        Ok(WasmBenchmark::new(Benchmark::new(model)))
    }
}

#[wasm_bindgen(js_class = Seeding)]
impl WasmSeeding {
    /// Finds the device for the content of a `config.json`, with the options `{ device?, schedule?,
    /// profiling? }`. Doesn't generate weights yet.
    pub async fn create(config: String, seed: u32, options: JsValue) -> Result<WasmSeeding, JsValue> {
        let config = Config::from_json(config)?;
        let options: LoadOptions = parse("options", &options)?;
        Ok(WasmSeeding(Seeding::new(&config, u64::from(seed), &options.session()?).await?))
    }

    /// Generates the next tensor; returns the fraction of all values generated so far, 1 at the end.
    pub fn step(&mut self) -> Result<f64, JsValue> {
        Ok(self.0.step()?)
    }

    /// The benchmark of the network.
    pub async fn finish(self) -> Result<WasmBenchmark, JsValue> {
        let (benchmark, times) = self.0.finish().await?;
        let times = Times { compile: times.compile, generate: times.generate, upload: times.upload };
        Ok(WasmBenchmark { benchmark, times: Some(times), limits: None })
    }
}

/// A network ready to be measured.
#[wasm_bindgen(js_name = Benchmark)]
pub struct WasmBenchmark {
    benchmark: Benchmark,
    /// Set only for generated weights.
    times: Option<Times>,
    limits: Option<AdapterLimits>,
}

impl WasmBenchmark {
    /// The benchmark of a loaded model.
    pub fn new(benchmark: Benchmark) -> Self {
        WasmBenchmark { benchmark, times: None, limits: None }
    }
}

/// Description of the network.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Description<'a> {
    version: &'static str,
    architecture: String,
    parameters: u64,
    weight_bytes: u64,
    schedule: String,
    schedules: Vec<&'static str>,
    longest: usize,
    times: Option<&'a Times>,
}

/// Stored logits for a run.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Expected {
    logits: Logits,
    allowed: f64,
}

/// The time of a run, and the comparison with stored logits.
#[derive(Serialize)]
struct Timed {
    milliseconds: f64,
    check: Option<Check>,
}

/// The time of a run, and the comparison with the expected logits unless these are undefined.
fn timed(run: &Run, expected: &JsValue) -> Result<JsValue, JsValue> {
    let expected: Option<Expected> =
        if expected.is_undefined() { None } else { Some(parse("expected", expected)?) };
    let check = expected.map(|expected| Check::of(&run.outputs, &expected.logits, expected.allowed));
    Ok(object(&Timed { milliseconds: run.milliseconds, check })?)
}

#[wasm_bindgen(js_class = Benchmark)]
impl WasmBenchmark {
    /// `{ version, architecture, parameters, weightBytes, schedule, schedules, longest, times }`; `schedules`
    /// lists all of the engine's, and `times` is `{ compile, generate, upload }` in milliseconds if the
    /// weights were generated.
    pub fn describe(&self) -> Result<JsValue, JsValue> {
        Ok(object(&Description {
            version: env!("CARGO_PKG_VERSION"),
            architecture: self.benchmark.architecture(),
            parameters: self.benchmark.parameters(),
            weight_bytes: self.benchmark.weight_bytes(),
            schedule: self.benchmark.schedules().describe(),
            schedules: Schedule::ALL.into_iter().map(Schedule::as_str).collect(),
            longest: self.benchmark.session().limits().max_sequence,
            times: self.times.as_ref(),
        })?)
    }

    /// `{ kind: "webgpu" | "wasm", adapter, fallback, reason, chosen }`.
    pub fn device(&self) -> Result<JsValue, JsValue> {
        Ok(device_object(self.benchmark.device())?)
    }

    /// Number of dispatches in a run over this many tokens.
    pub fn dispatches(&self, sequence: usize) -> Result<usize, JsValue> {
        Ok(self.benchmark.dispatches(sequence, 1)?)
    }

    /// Runs one sequence of fixed ids; `expected` is `{ logits: { name: { places, values, rms } }, allowed }`, or
    /// undefined if nothing is stored. Returns `{ milliseconds, check: { right, difference, allowed } | null }`.
    pub async fn run(&mut self, sequence: usize, expected: JsValue) -> Result<JsValue, JsValue> {
        let run = self.benchmark.run(sequence, 1).await?;
        timed(&run, &expected)
    }

    /// Computes this worker's part of a run. Returns the same as `run`, or null if another worker was lost.
    #[wasm_bindgen(js_name = runPart)]
    pub fn run_part(
        &mut self,
        sequence: usize,
        expected: JsValue,
        memory: SharedMemory,
    ) -> Result<JsValue, JsValue> {
        let run = self.benchmark.run_part(sequence, Box::new(memory))?;
        run.map_or(Ok(JsValue::NULL), |run| timed(&run, &expected))
    }

    /// Maximum number of values that workers exchange at a time when they share a run; undefined if it can't be shared.
    pub fn exchanged(&self, sequence: usize) -> Result<Option<usize>, JsValue> {
        Ok(self.benchmark.exchanged(sequence)?)
    }

    /// Bytes of activations in a run over this many tokens.
    #[wasm_bindgen(js_name = activationBytes)]
    pub fn activation_bytes(&self, sequence: usize) -> Result<f64, JsValue> {
        Ok(self.benchmark.activation_bytes(sequence, 1)? as f64)
    }

    /// Parts of a run, medians of `runs`: `{ encode_ms, gpu_ms, readback_ms, clock }`, or null on the CPU.
    pub async fn parts(&mut self, sequence: usize, runs: usize) -> Result<JsValue, JsValue> {
        Ok(object(&self.benchmark.parts(sequence, 1, runs).await?)?)
    }

    /// The GPU's limits: `{ copy_gb_s, multiply_add_gflop_s, byte_dot_gop_s, clock }`, or null on the CPU.
    /// Later profiles compare kernels with them.
    pub async fn limits(&mut self) -> Result<JsValue, JsValue> {
        self.limits = self.benchmark.adapter_limits().await?;
        Ok(object(&self.limits)?)
    }

    /// The time of every kernel over `runs` runs of one sequence, as described by
    /// `docs/bench-result.schema.json`.
    pub async fn profile(&mut self, sequence: usize, runs: usize) -> Result<JsValue, JsValue> {
        let profile = self.benchmark.profile(sequence, 1, runs, self.limits.as_ref()).await?;
        Ok(object(&profile)?)
    }

    /// `{ wasmBytes, gpuBuffers, gpuBytes }`.
    pub fn memory(&self) -> Result<JsValue, JsValue> {
        Ok(memory_object(self.benchmark.session())?)
    }
}
