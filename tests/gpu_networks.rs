//! Whole networks on the GPU, compared with the plan interpreted in f64 and with the CPU executor: repeated
//! runs, runs that stop after a step, batches with other sequences, and larger buckets.

mod support;

use mobilebert::config::Config;
use mobilebert::cpu;
use mobilebert::error::Error;
use mobilebert::gpu::{self, Tile};
use mobilebert::plan::{Inputs, Network, PAD_ID, ParameterId, Plan, Request, Schedule};
use mobilebert::session::{Device, DeviceKind, Limits, PendingSession, SessionOptions};
use mobilebert::weights::Tensor;
use serde_json::{Value, json};
use support::checkpoint;
use support::compare::{Tolerance, assert_close, compare_to_rms};
use support::gpu::{chain_configs, executor, mobilebert, sample_configs, shared_executor};
use support::interpreter::{self, Parameters};
use support::random::Random;

/// A network with random parameters.
struct Model {
    config: Config,
    network: Network,
    parameters: Parameters,
}

impl Model {
    fn new(fields: &Value, seed: u64) -> Self {
        let config = Config::from_json(fields.to_string()).unwrap();
        let network = Network::of(&config).unwrap();
        let tensors = checkpoint::tensors(&network, &mut Random::new(seed));
        let parameters = checkpoint::assemble(&network, checkpoint::raw(&tensors)).unwrap();
        Model { config, network, parameters }
    }

    fn tensor(&self, id: usize) -> Tensor {
        let data = self.parameters[id].iter().map(|&value| value as f32).collect();
        Tensor { shape: self.network.parameters[id].shape.clone(), data }
    }

    fn load(&self, executor: &mut gpu::Executor) {
        for (id, parameter) in self.network.parameters.iter().enumerate() {
            executor.load(ParameterId(id), parameter, self.tensor(id)).unwrap();
        }
    }

    fn on_cpu(&self) -> cpu::Executor {
        let mut executor = cpu::Executor::new(1).unwrap();
        for (id, parameter) in self.network.parameters.iter().enumerate() {
            executor.load(ParameterId(id), parameter, self.tensor(id)).unwrap();
        }
        executor
    }

    fn plan(&self, batch: usize, sequence: usize) -> Plan {
        self.plan_as(Schedule::Tiled, batch, sequence)
    }

    fn plan_as(&self, schedule: Schedule, batch: usize, sequence: usize) -> Plan {
        self.network.plan(Request { batch, sequence, schedule, ..Request::default() }).unwrap()
    }

    fn inputs(&self, batch: usize, sequence: usize, seed: u64) -> Inputs {
        checkpoint::inputs(&self.config, batch, sequence, &mut Random::new(seed))
    }
}

#[test]
fn every_kind_of_network_matches_the_interpreter_and_the_cpu() {
    let Some(mut gpu) = shared_executor("every_kind_of_network_matches_the_interpreter_and_the_cpu") else {
        return;
    };
    for (seed, fields) in sample_configs().iter().enumerate() {
        let model = Model::new(fields, seed as u64);
        model.load(&mut gpu);
        let mut cpu = model.on_cpu();
        for (batch, sequence) in [(1, 1), (2, 37), (3, 64)] {
            let inputs = model.inputs(batch, sequence, 7);
            for (schedule, tile) in [
                (Schedule::Operations, Tile::Wide),
                (Schedule::Tiled, Tile::Wide),
                (Schedule::Tiled, Tile::Short),
                (Schedule::Chain, Tile::Wide),
            ] {
                gpu.set_tile(Some(tile));
                let keeps = schedule != Schedule::Chain;
                let request = Request {
                    batch,
                    sequence,
                    schedule,
                    hidden_states: keeps,
                    attentions: keeps && batch == 2,
                    attention_of: None,
                };
                let plan = match model.network.plan(request) {
                    Err(Error::Unsupported { .. }) if schedule == Schedule::Chain && seed < 6 => continue,
                    plan => plan.unwrap(),
                };
                let found = pollster::block_on(gpu.run(&plan, &inputs)).unwrap();
                let twins = cpu.run(&plan, &inputs).unwrap();
                assert_eq!(found.len(), plan.outputs.len());
                // Look up by label, because the interpreter's results by label are whole buffers, like an executor's.
                let expected = interpreter::run(&model.network.parameters, &plan, &model.parameters, &inputs);
                for ((output, found), twin) in plan.outputs.iter().zip(&found).zip(&twins) {
                    let expected = &expected[&plan.buffers[output.buffer.0].label];
                    let what = format!("{} {request:?} {tile:?}", output.name);
                    compare_to_rms(expected, found, 2e-5)
                        .unwrap_or_else(|problem| panic!("{what}: {problem}\n{fields}"));
                    compare_to_rms(twin, found, 2e-5)
                        .unwrap_or_else(|problem| panic!("{what}, twin: {problem}\n{fields}"));
                }
            }
        }
    }
}

#[test]
fn results_do_not_change_while_a_plan_tries_both_tiles() {
    let Some(mut gpu) = executor("results_do_not_change_while_a_plan_tries_both_tiles") else {
        return;
    };
    gpu.set_tile(None);
    let model = Model::new(&sample_configs()[0], 22);
    model.load(&mut gpu);
    let plan = model.plan(2, 33);
    let inputs = model.inputs(2, 33, 23);
    let twins = model.on_cpu().run(&plan, &inputs).unwrap();
    let (mut first, mut held) = (None, None);
    for run in 0..12 {
        let found = pollster::block_on(gpu.run(&plan, &inputs)).unwrap();
        assert_eq!(first.get_or_insert_with(|| found.clone()), &found, "run {run}");
        for ((output, found), twin) in plan.outputs.iter().zip(&found).zip(&twins) {
            compare_to_rms(twin, found, 2e-5)
                .unwrap_or_else(|problem| panic!("run {run}, {}: {problem}", output.name));
        }
        let memory = gpu.memory();
        assert_eq!(*held.get_or_insert(memory), memory, "run {run}");
    }
}

#[test]
fn only_the_kernels_of_the_plans_are_compiled() {
    let Some(mut gpu) = executor("only_the_kernels_of_the_plans_are_compiled") else { return };
    let model = Model::new(&chain_configs()[0], 25);
    model.load(&mut gpu);
    assert_eq!(gpu.compiled(), 0);
    let inputs = model.inputs(1, 9, 26);
    pollster::block_on(gpu.run(&model.plan_as(Schedule::Chain, 1, 9), &inputs)).unwrap();
    assert_eq!(gpu.compiled(), 2, "embedding_position and chain");
    pollster::block_on(gpu.run(&model.plan(1, 9), &inputs)).unwrap();
    // A software adapter uses only wide tiles.
    let tiles = if gpu.adapter().fallback { 1 } else { 2 };
    assert_eq!(gpu.compiled(), 5 + tiles, "embedding, position, linear in its tiles and attention as well");
}

#[test]
fn stopping_after_any_step_matches_the_cpu() {
    let Some(mut gpu) = shared_executor("stopping_after_any_step_matches_the_cpu") else { return };
    let model = Model::new(&sample_configs()[0], 20);
    model.load(&mut gpu);
    let mut cpu = model.on_cpu();
    let plan = model.plan(2, 33);
    let inputs = model.inputs(2, 33, 21);
    let held = gpu.memory();
    for step in &plan.steps {
        let found = pollster::block_on(gpu.run_until(&plan, &inputs, &step.label)).unwrap();
        let twin = cpu.run_until(&plan, &inputs, &step.label).unwrap();
        compare_to_rms(&twin, &found, 2e-5).unwrap_or_else(|problem| panic!("{}: {problem}", step.label));
    }
    let after_first = gpu.memory();
    assert!(after_first.buffers > held.buffers, "the plan is cached");
    let last = &plan.steps[plan.steps.len() - 1].label;
    pollster::block_on(gpu.run_until(&plan, &inputs, last)).unwrap();
    assert_eq!(gpu.memory(), after_first, "stopping early leaks nothing");
    let error = pollster::block_on(gpu.run_until(&plan, &inputs, "no such step")).unwrap_err();
    assert_eq!(error.code().as_str(), "invalid-input", "{error}");
}

#[test]
fn two_hundred_runs_allocate_nothing_and_agree() {
    let Some(mut gpu) = shared_executor("two_hundred_runs_allocate_nothing_and_agree") else { return };
    let fields = mobilebert("MobileBertForQuestionAnswering", json!({ "num_hidden_layers": 1 }));
    let model = Model::new(&fields, 30);
    model.load(&mut gpu);
    let plans = [model.plan(1, 16), model.plan(2, 24)];
    let inputs = [model.inputs(1, 16, 31), model.inputs(2, 24, 32)];
    let mut run = |which: usize| {
        let results = pollster::block_on(gpu.run(&plans[which], &inputs[which])).unwrap();
        (results, gpu.memory())
    };
    let first = [run(0).0, run(1).0];
    let held = run(0).1;
    for round in 0..200 {
        let (results, memory) = run(round % 2);
        assert_eq!(results, first[round % 2], "round {round}");
        assert_eq!(memory, held, "round {round}");
    }
}

#[test]
fn what_was_prepared_is_freed_with_its_plan_and_with_the_parameters() {
    let test = "what_was_prepared_is_freed_with_its_plan_and_with_the_parameters";
    let Some(mut gpu) = executor(test) else { return };
    let model = Model::new(&sample_configs()[4], 40);
    model.load(&mut gpu);
    let loaded = gpu.memory();
    assert_eq!(loaded.buffers, model.network.parameters.len(), "no chains, so one buffer per tensor");
    for sequence in 1..=40 {
        let plan = model.plan(1, sequence);
        pollster::block_on(gpu.run(&plan, &model.inputs(1, sequence, 41))).unwrap();
        assert_eq!(gpu.memory().buffers, loaded.buffers + plan.slots.len() + 3, "{sequence} tokens");
    }
    // Loading again replaces the buffers, and drops everything prepared with the old ones.
    model.load(&mut gpu);
    assert_eq!(gpu.memory(), loaded);
}

/// Texts of different lengths, padded as in a session, with the padding masked.
fn padded(texts: &[Vec<u32>], sequence: usize) -> Inputs {
    let mut inputs = Inputs::default();
    for text in texts {
        for token in 0..sequence {
            let id = text.get(token).copied();
            inputs.input_ids.push(id.unwrap_or(PAD_ID));
            inputs.token_type_ids.push(0);
            inputs.attention_mask.push(id.is_some().into());
        }
    }
    inputs
}

#[test]
fn results_depend_on_neither_the_bucket_nor_the_batch() {
    let Some(mut gpu) = shared_executor("results_depend_on_neither_the_bucket_nor_the_batch") else {
        return;
    };
    for (fields, schedule) in [
        (&sample_configs()[0], Schedule::Tiled),
        (&sample_configs()[4], Schedule::Tiled),
        (&chain_configs()[0], Schedule::Chain),
    ] {
        let model = Model::new(fields, 50);
        model.load(&mut gpu);
        let mut random = Random::new(51);
        let mut text = |len: usize| -> Vec<u32> { (0..len).map(|_| random.below(47) as u32).collect() };
        let texts = [text(5), text(31), text(64)];
        let mut run = |texts: &[Vec<u32>], sequence: usize| {
            let plan = model.plan_as(schedule, texts.len(), sequence);
            pollster::block_on(gpu.run(&plan, &padded(texts, sequence))).unwrap().remove(0)
        };
        for (index, text) in texts.iter().enumerate() {
            let alone = run(std::slice::from_ref(text), text.len());
            let width = alone.len() / text.len();
            for sequence in [64, 80] {
                let bucket = run(std::slice::from_ref(text), sequence);
                assert_close("bucket", &alone, &bucket[..alone.len()], Tolerance::new(1e-5, 1e-5));
                let batch = run(&texts, sequence);
                let found = &batch[index * sequence * width..][..alone.len()];
                assert_close("batch", &alone, found, Tolerance::new(1e-5, 1e-5));
            }
        }
    }
}

#[test]
fn invalid_calls_fail_and_leave_the_model_usable() {
    let Some(mut gpu) = shared_executor("invalid_calls_fail_and_leave_the_model_usable") else { return };
    let model = Model::new(&sample_configs()[0], 60);
    model.load(&mut gpu);
    let plan = model.plan(1, 9);
    let good = model.inputs(1, 9, 61);
    let answer = pollster::block_on(gpu.run(&plan, &good)).unwrap();
    let mut fails = |change: &dyn Fn(&mut Inputs), field: &str| {
        let mut inputs = good.clone();
        change(&mut inputs);
        let error = pollster::block_on(gpu.run(&plan, &inputs)).unwrap_err();
        assert_eq!(error.culprit(), Some(("field", field)), "{error}");
        assert_eq!(pollster::block_on(gpu.run(&plan, &good)).unwrap(), answer);
    };
    fails(&|inputs| inputs.input_ids.truncate(8), "input_ids");
    fails(&|inputs| inputs.attention_mask.push(1), "attention_mask");
    fails(&|inputs| inputs.token_type_ids.clear(), "token_type_ids");
    fails(&|inputs| inputs.input_ids[3] = 61, "input_ids");
    fails(&|inputs| inputs.token_type_ids[8] = 2, "token_type_ids");

    let parameter = &model.network.parameters[0];
    let mut tensor = model.tensor(0);
    tensor.shape[0] += 1;
    let error = gpu.load(ParameterId(0), parameter, tensor).unwrap_err();
    assert_eq!(error.culprit(), Some(("tensor", parameter.name.as_str())), "{error}");

    let mut large = parameter.clone();
    large.shape = vec![(128 << 20) / 4 + 1];
    let tensor = Tensor { shape: large.shape.clone(), data: vec![0.0; large.shape[0]] };
    let error = gpu.load(ParameterId(0), &large, tensor).unwrap_err();
    assert_eq!(error.code().as_str(), "unsupported");
    assert!(error.to_string().contains(&large.name), "{error}");
    assert_eq!(pollster::block_on(gpu.run(&plan, &good)).unwrap(), answer);
}

#[test]
fn a_lost_device_is_reported_as_device_lost() {
    let Some(mut gpu) = executor("a_lost_device_is_reported_as_device_lost") else { return };
    let model = Model::new(&sample_configs()[0], 70);
    model.load(&mut gpu);
    let (plan, inputs) = (model.plan(1, 9), model.inputs(1, 9, 71));
    pollster::block_on(gpu.run(&plan, &inputs)).unwrap();
    gpu.device().wgpu().destroy();
    let error = pollster::block_on(gpu.run(&plan, &inputs)).unwrap_err();
    assert_eq!(error.code().as_str(), "device-lost", "{error}");
}

/// 24 layers with a hidden size of 512 and bottlenecks of 128, like the published checkpoints.
#[test]
fn a_full_size_network_matches_the_cpu() {
    let Some(mut gpu) = executor("a_full_size_network_matches_the_cpu") else { return };
    let sizes = json!({
        "vocab_size": 3000, "max_position_embeddings": 512, "hidden_size": 512, "embedding_size": 128,
        "intra_bottleneck_size": 128, "num_hidden_layers": 24, "intermediate_size": 512,
    });
    let model = Model::new(&mobilebert("MobileBertForQuestionAnswering", sizes), 80);
    model.load(&mut gpu);
    let mut cpu = model.on_cpu();
    let inputs = model.inputs(1, 64, 81);
    let twins = cpu.run(&model.plan(1, 64), &inputs).unwrap();
    for schedule in [Schedule::Tiled, Schedule::Chain] {
        let plan = model.plan_as(schedule, 1, 64);
        let found = pollster::block_on(gpu.run(&plan, &inputs)).unwrap();
        for (twin, found) in twins.iter().zip(&found) {
            compare_to_rms(twin, found, 1e-4).unwrap();
        }
    }
}

#[test]
fn a_tensor_larger_than_a_binding_falls_back_to_the_cpu() {
    let name = "a_tensor_larger_than_a_binding_falls_back_to_the_cpu";
    if support::gpu::executor(name).is_none() {
        return;
    }
    // The word vectors of a multilingual BERT: 367 MB.
    let fields = json!({ "model_type": "bert", "vocab_size": 119_547, "hidden_size": 768,
        "num_attention_heads": 12, "num_hidden_layers": 1, "intermediate_size": 16 });
    let config = Config::from_json(fields.to_string()).unwrap();
    let start = |device| {
        let options = SessionOptions { device, ..SessionOptions::default() };
        let limits = Limits { vocab_size: 119_547, type_vocab_size: 2, max_sequence: 512 };
        let started = pollster::block_on(PendingSession::new(&options)).unwrap();
        started.with_network(Network::of(&config).unwrap(), limits)
    };
    let error = start(Device::Gpu).err().expect("the tensor exceeds the guaranteed limits");
    assert!(error.to_string().contains("word_embeddings.weight"), "{error}");
    for device in [Device::Auto, Device::Cpu] {
        assert_eq!(start(device).unwrap().device().kind, DeviceKind::Cpu);
    }
}
