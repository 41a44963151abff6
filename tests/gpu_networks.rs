//! Whole networks on the GPU: against the plan interpreted in f64 and against the CPU executor, over and over, cut at
//! any step, beside other sequences and in larger buckets.

mod support;

use mobilebert::config::Config;
use mobilebert::cpu;
use mobilebert::gpu::{self, Tile};
use mobilebert::plan::{Inputs, Network, PAD_ID, ParameterId, Plan, Request, Schedule};
use mobilebert::session::{Device, DeviceKind, Limits, SessionOptions, Started};
use mobilebert::weights::Tensor;
use serde_json::{Value, json};
use support::checkpoint;
use support::compare::{Tolerance, assert_close, compare_to_rms};
use support::gpu::{executor, family, mobilebert, shared_executor};
use support::interpreter::{self, Parameters};
use support::random::Random;

/// A network with its parameters, loaded into executors on request.
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
        self.network.plan(Request { batch, sequence, ..Request::default() }).unwrap()
    }

    fn inputs(&self, batch: usize, sequence: usize, seed: u64) -> Inputs {
        checkpoint::inputs(&self.config, batch, sequence, &mut Random::new(seed))
    }
}

#[test]
fn every_kind_of_network_computes_what_its_plan_says() {
    let Some(mut gpu) = shared_executor("every_kind_of_network_computes_what_its_plan_says") else { return };
    for (seed, fields) in family().iter().enumerate() {
        let model = Model::new(fields, seed as u64);
        model.load(&mut gpu);
        let mut cpu = model.on_cpu();
        for (batch, sequence) in [(1, 1), (2, 37), (3, 64)] {
            let inputs = model.inputs(batch, sequence, 7);
            for (schedule, tile) in [
                (Schedule::Operations, Tile::Wide),
                (Schedule::Tiled, Tile::Wide),
                (Schedule::Tiled, Tile::Short),
            ] {
                gpu.set_tile(Some(tile));
                let request =
                    Request { batch, sequence, schedule, hidden_states: true, attentions: batch == 2 };
                let plan = model.network.plan(request).unwrap();
                let found = pollster::block_on(gpu.run(&plan, &inputs)).unwrap();
                let twins = cpu.run(&plan, &inputs).unwrap();
                assert_eq!(found.len(), plan.outputs.len());
                // The interpreter's results by label are whole buffers, as an executor's are.
                let expected = interpreter::run(&model.network, &plan, &model.parameters, &inputs);
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
fn a_plan_that_tries_both_tiles_gives_the_same_numbers_all_the_while() {
    let Some(mut gpu) = executor("a_plan_that_tries_both_tiles_gives_the_same_numbers_all_the_while") else {
        return;
    };
    gpu.set_tile(None);
    let model = Model::new(&family()[0], 22);
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
fn a_plan_cut_at_any_step_gives_what_the_twin_gives() {
    let Some(mut gpu) = shared_executor("a_plan_cut_at_any_step_gives_what_the_twin_gives") else { return };
    let model = Model::new(&family()[0], 20);
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
    assert!(after_first.buffers > held.buffers, "the plan is kept ready");
    let last = &plan.steps[plan.steps.len() - 1].label;
    pollster::block_on(gpu.run_until(&plan, &inputs, last)).unwrap();
    assert_eq!(gpu.memory(), after_first, "a cut leaves nothing behind");
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
fn what_a_plan_needs_is_freed_with_the_plan_and_with_the_parameters() {
    let test = "what_a_plan_needs_is_freed_with_the_plan_and_with_the_parameters";
    let Some(mut gpu) = executor(test) else { return };
    let model = Model::new(&family()[4], 40);
    model.load(&mut gpu);
    let loaded = gpu.memory();
    assert_eq!(loaded.buffers, model.network.parameters.len(), "a buffer a tensor");
    for sequence in 1..=40 {
        let plan = model.plan(1, sequence);
        pollster::block_on(gpu.run(&plan, &model.inputs(1, sequence, 41))).unwrap();
        assert_eq!(gpu.memory().buffers, loaded.buffers + plan.slots.len() + 3, "{sequence} tokens");
    }
    // Loading again replaces the parameters; what was prepared with the old buffers goes with them.
    model.load(&mut gpu);
    assert_eq!(gpu.memory(), loaded);
}

/// Texts of several lengths, padded as the session pads them: past the end, not attended to.
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
fn results_depend_neither_on_the_bucket_nor_on_the_batch() {
    let Some(mut gpu) = shared_executor("results_depend_neither_on_the_bucket_nor_on_the_batch") else {
        return;
    };
    for fields in [&family()[0], &family()[4]] {
        let model = Model::new(fields, 50);
        model.load(&mut gpu);
        let mut random = Random::new(51);
        let mut text = |len: usize| -> Vec<u32> { (0..len).map(|_| random.below(47) as u32).collect() };
        let texts = [text(5), text(31), text(64)];
        let mut run = |texts: &[Vec<u32>], sequence: usize| {
            let plan = model.plan(texts.len(), sequence);
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
fn wrong_calls_are_told_and_the_model_still_answers() {
    let Some(mut gpu) = shared_executor("wrong_calls_are_told_and_the_model_still_answers") else { return };
    let model = Model::new(&family()[0], 60);
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
fn a_lost_device_is_said_to_be_lost() {
    let Some(mut gpu) = executor("a_lost_device_is_said_to_be_lost") else { return };
    let model = Model::new(&family()[0], 70);
    model.load(&mut gpu);
    let (plan, inputs) = (model.plan(1, 9), model.inputs(1, 9, 71));
    pollster::block_on(gpu.run(&plan, &inputs)).unwrap();
    gpu.device().wgpu().destroy();
    let error = pollster::block_on(gpu.run(&plan, &inputs)).unwrap_err();
    assert_eq!(error.code().as_str(), "device-lost", "{error}");
}

/// 24 layers of 512 and 128 features, as the published checkpoints are.
#[test]
fn the_network_in_full_size_computes_what_the_twins_do() {
    let Some(mut gpu) = executor("the_network_in_full_size_computes_what_the_twins_do") else { return };
    let sizes = json!({
        "vocab_size": 3000, "max_position_embeddings": 512, "hidden_size": 512, "embedding_size": 128,
        "intra_bottleneck_size": 128, "num_hidden_layers": 24, "intermediate_size": 512,
    });
    let model = Model::new(&mobilebert("MobileBertForQuestionAnswering", sizes), 80);
    model.load(&mut gpu);
    let mut cpu = model.on_cpu();
    let (plan, inputs) = (model.plan(1, 64), model.inputs(1, 64, 81));
    let found = pollster::block_on(gpu.run(&plan, &inputs)).unwrap();
    let twins = cpu.run(&plan, &inputs).unwrap();
    for (twin, found) in twins.iter().zip(&found) {
        compare_to_rms(twin, found, 1e-4).unwrap();
    }
}

#[test]
fn a_tensor_beyond_a_binding_is_left_to_the_cpu() {
    let name = "a_tensor_beyond_a_binding_is_left_to_the_cpu";
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
        let started = pollster::block_on(Started::new(&options)).unwrap();
        started.with_network(Network::of(&config).unwrap(), limits)
    };
    let error = start(Device::Gpu).err().expect("no GPU has to take it");
    assert!(error.to_string().contains("word_embeddings.weight"), "{error}");
    for device in [Device::Auto, Device::Cpu] {
        assert_eq!(start(device).unwrap().device().kind, DeviceKind::Cpu);
    }
}
