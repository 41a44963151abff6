//! This machine's GPU, hand-built plans of a few steps, and sample configurations.

use std::io::Write;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use mobilebert::error::Error;
use mobilebert::gpu::{Device, Executor};
use mobilebert::kernels::Embedding;
use mobilebert::plan::{
    Buffer, BufferId, Identity, Inputs, Operation, Output, Parameter, ParameterId, Plan, Recipe, Request,
    Role, Step,
};
use mobilebert::weights::{ParameterData, Tensor};
use serde_json::{Value, json};

/// A new device. If this machine has no GPU, reports the test as not run, or fails if `MOBILEBERT_GPU=require`.
pub fn device(test: &str) -> Option<Device> {
    found(test, pollster::block_on(Device::request()))
}

/// Like [`device`], with timestamp queries. If the device lacks them, reports the test as not run, or fails if
/// `MOBILEBERT_GPU=require`.
pub fn profiling_device(test: &str) -> Option<Device> {
    let device = found(test, pollster::block_on(Device::request_for_profiling()))?;
    if !device.has_timestamps() {
        let required = std::env::var("MOBILEBERT_GPU").is_ok_and(|value| value == "require");
        assert!(!required, "{test}: {:?} has no timestamp-query", device.adapter());
        say(&format!("NOT RUN: {test}: {:?} has no timestamp-query", device.adapter()));
        return None;
    }
    Some(device)
}

fn found(test: &str, requested: Result<Device, Error>) -> Option<Device> {
    match requested {
        Ok(device) => {
            say(&format!("{test}: {:?}", device.adapter()));
            Some(device)
        }
        Err(error @ Error::Unsupported { .. }) => {
            let required = std::env::var("MOBILEBERT_GPU").is_ok_and(|value| value == "require");
            assert!(!required, "{test}: {error}");
            say(&format!("NOT RUN: {test}: {error}"));
            None
        }
        Err(error) => panic!("{test}: {error}"),
    }
}

/// A new executor.
pub fn executor(test: &str) -> Option<Executor> {
    device(test).map(Executor::new)
}

/// One executor for all tests of a file, because compiling the kernels takes longer than running them.
pub fn shared_executor(test: &str) -> Option<MutexGuard<'static, Executor>> {
    static SHARED: OnceLock<Option<Mutex<Executor>>> = OnceLock::new();
    match SHARED.get_or_init(|| executor(test).map(Mutex::new)) {
        Some(executor) => Some(executor.lock().unwrap_or_else(PoisonError::into_inner)),
        None => {
            say(&format!("NOT RUN: {test}"));
            None
        }
    }
}

/// Writes around the output capture of the test harness, so that the line is visible even if the test passes.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Builds a plan step by step, with its parameters.
#[derive(Clone, Debug)]
pub struct Builder {
    pub plan: Plan,
    pub inputs: Inputs,
    pub parameters: Vec<(Parameter, ParameterData)>,
}

impl Builder {
    /// A plan without steps. The id of a token is its index, types are 0, and every token is attended to.
    pub fn new(batch: usize, sequence: usize) -> Self {
        let tokens = batch * sequence;
        Builder {
            plan: Plan {
                request: Request { batch, sequence, ..Default::default() },
                steps: Vec::new(),
                buffers: Vec::new(),
                slots: Vec::new(),
                outputs: Vec::new(),
                identity: Identity::default(),
            },
            inputs: Inputs {
                input_ids: (0..tokens as u32).collect(),
                token_type_ids: vec![0; tokens],
                attention_mask: vec![1; tokens],
            },
            parameters: Vec::new(),
        }
    }

    pub fn parameter(&mut self, shape: &[usize], data: &[f32]) -> ParameterId {
        let role = if shape.len() == 2 { Role::Matrix } else { Role::Vector };
        self.add(Tensor { shape: shape.to_vec(), data: data.to_vec() }.into(), role)
    }

    pub fn table(&mut self, shape: &[usize], data: &[f32]) -> ParameterId {
        self.add(Tensor { shape: shape.to_vec(), data: data.to_vec() }.into(), Role::Table)
    }

    /// Adds a parameter in f32 or q8.
    pub fn add(&mut self, values: ParameterData, role: Role) -> ParameterId {
        let id = ParameterId(self.parameters.len());
        let name = format!("parameter.{}", id.0);
        let parameter =
            Parameter { name, shape: values.shape.clone(), role, recipe: Recipe::Zeros, group: None };
        self.parameters.push((parameter, values));
        id
    }

    /// Adds a buffer that contains `data`, by gathering the rows of a table in order.
    pub fn activation(&mut self, data: &[f32]) -> BufferId {
        let rows = self.inputs.input_ids.len();
        assert_eq!(data.len() % rows, 0, "{} values in {rows} rows", data.len());
        let table = self.table(&[rows, data.len() / rows], data);
        self.step(Embedding { table, trigram: false }, data.len())
    }

    /// Appends a step with a new buffer and slot. Its output becomes the result of the plan.
    pub fn step(&mut self, operation: impl Into<Operation>, len: usize) -> BufferId {
        let output = BufferId(self.plan.buffers.len());
        let label = format!("step.{}", output.0);
        self.plan.buffers.push(Buffer { label: label.clone(), len, slot: self.plan.slots.len() });
        self.plan.identity = Identity::default();
        self.plan.slots.push(len);
        self.plan.steps.push(Step { label, operation: operation.into(), output });
        self.plan.outputs = vec![Output {
            name: "result".into(),
            buffer: output,
            shape: vec![len],
            sequence_axes: Vec::new(),
            column: None,
        }];
        output
    }

    /// Loads the parameters and runs the plan.
    pub fn run(&self, executor: &mut Executor) -> Vec<f32> {
        self.load(executor);
        let mut results = pollster::block_on(executor.run(&self.plan, &self.inputs))
            .unwrap_or_else(|error| panic!("{error}"));
        results.remove(0)
    }

    pub fn load(&self, executor: &mut Executor) {
        for (index, (parameter, values)) in self.parameters.iter().enumerate() {
            executor
                .load(ParameterId(index), parameter, values.clone())
                .unwrap_or_else(|error| panic!("{error}"));
        }
    }
}

/// Configuration of a small MobileBERT with odd sizes. `more` overrides fields.
pub fn mobilebert(architecture: &str, more: Value) -> Value {
    let mut fields = json!({
        "model_type": "mobilebert", "architectures": [architecture], "vocab_size": 61, "max_position_embeddings": 80,
        "hidden_size": 36, "embedding_size": 12, "intra_bottleneck_size": 24, "num_attention_heads": 4,
        "num_hidden_layers": 3, "intermediate_size": 40, "num_feedforward_networks": 4, "hidden_act": "relu",
        "normalization_type": "no_norm", "use_bottleneck": true, "use_bottleneck_attention": false,
        "key_query_shared_bottleneck": true, "trigram_input": true, "classifier_activation": true,
    });
    if let Some(more) = more.as_object() {
        more.iter().for_each(|(name, value)| fields[name] = value.clone());
    }
    fields
}

/// Small networks supported by the schedule `chain`: MobileBERT, and TINY with a classifier.
pub fn chain_configs() -> [Value; 2] {
    let sizes = json!({ "hidden_size": 96, "embedding_size": 32, "intra_bottleneck_size": 32, "intermediate_size": 64 });
    let mut tiny = sizes.clone();
    tiny["num_feedforward_networks"] = json!(2);
    tiny["use_bottleneck_attention"] = json!(true);
    [
        mobilebert("MobileBertForQuestionAnswering", sizes),
        mobilebert("MobileBertForSequenceClassification", tiny),
    ]
}

/// One configuration of each kind of model, with deliberately odd sizes except for the last two.
pub fn sample_configs() -> Vec<Value> {
    let mut configs = odd_configs();
    configs.extend(chain_configs());
    configs
}

fn odd_configs() -> Vec<Value> {
    vec![
        mobilebert("MobileBertForQuestionAnswering", json!({})),
        mobilebert(
            "MobileBertForSequenceClassification",
            json!({ "normalization_type": "layer_norm", "hidden_act": "gelu", "num_feedforward_networks": 2 }),
        ),
        mobilebert("MobileBertForMaskedLM", json!({ "use_bottleneck_attention": true, "hidden_size": 35 })),
        mobilebert(
            "MobileBertForTokenClassification",
            json!({ "use_bottleneck": false, "hidden_size": 21, "intra_bottleneck_size": 21, "embedding_size": 7,
                    "num_attention_heads": 3, "key_query_shared_bottleneck": false, "hidden_act": "silu" }),
        ),
        json!({
            "model_type": "bert", "architectures": ["BertForQuestionAnswering"], "vocab_size": 47, "hidden_size": 66,
            "num_attention_heads": 2, "num_hidden_layers": 2, "intermediate_size": 70, "hidden_act": "gelu_new",
            "max_position_embeddings": 80, "type_vocab_size": 2,
        }),
        json!({
            "model_type": "distilbert", "architectures": ["DistilBertForSequenceClassification"], "vocab_size": 47,
            "dim": 45, "n_heads": 5, "n_layers": 2, "hidden_dim": 31, "activation": "gelu",
            "max_position_embeddings": 80,
        }),
    ]
}
