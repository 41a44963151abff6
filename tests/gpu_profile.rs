//! Profiles of plans and measurements of the adapter, on this machine's GPU.
//!
//! Without an adapter, the tests say so and pass, unless `MOBILEBERT_GPU=require`.

mod support;

use mobilebert::config::Config;
use mobilebert::executor::Executor;
use mobilebert::gpu::{self, Overhead, Roofline};
use mobilebert::plan::{Inputs, Network, Plan, Request, Role};
use mobilebert::profile::Clock;
use mobilebert::weights::{Assembler, Generator};
use pollster::block_on;
use support::gpu::{device, profiling_device};

/// A MobileBERT with two layers.
fn network() -> Network {
    let config = r#"{
        "model_type": "mobilebert", "architectures": ["MobileBertForQuestionAnswering"], "vocab_size": 50,
        "hidden_size": 64, "embedding_size": 32, "intra_bottleneck_size": 32, "num_hidden_layers": 2,
        "num_attention_heads": 4, "intermediate_size": 64, "max_position_embeddings": 64
    }"#;
    Network::of(&Config::from_json(config).unwrap()).unwrap()
}

fn loaded(network: &Network, mut executor: Executor) -> Executor {
    let mut assembler = Assembler::new(network);
    let generator = Generator::new(1);
    for (name, shape) in network.tensors() {
        assembler.push(generator.raw(name, shape)).unwrap();
        while let Some((id, values)) = assembler.next_ready().unwrap() {
            executor.load(id, network.parameter(id), values).unwrap();
        }
    }
    assembler.finish().unwrap();
    block_on(executor.settle()).unwrap();
    executor
}

fn plan_and_inputs(network: &Network) -> (Plan, Inputs) {
    let plan = network.plan(Request { batch: 2, sequence: 32, ..Request::default() }).unwrap();
    let inputs = Inputs {
        input_ids: (0..64).map(|place| 7 * place % 50).collect(),
        token_type_ids: vec![0; 64],
        attention_mask: vec![1; 64],
    };
    (plan, inputs)
}

/// A profile has to cover the plan, and must not change the executor.
fn profiles_as(clock: Clock, mut executor: Executor) {
    let network = network();
    executor = loaded(&network, executor);
    let (plan, inputs) = plan_and_inputs(&network);
    let before = block_on(executor.run(&plan, &inputs)).unwrap();
    let profile = block_on(executor.profile(&plan, &inputs)).unwrap();
    assert_eq!(profile.clock, clock);
    assert_eq!(profile.steps.len(), plan.steps.len());
    for (step, time) in plan.steps.iter().zip(&profile.steps) {
        assert!(time.kernel.starts_with(step.operation.kernel()), "{} as {}", step.label, time.kernel);
        assert!(time.milliseconds >= 0.0 && time.milliseconds.is_finite(), "{}", time.milliseconds);
    }
    assert!(profile.steps.iter().map(|step| step.milliseconds).sum::<f64>() > 0.0);
    assert_eq!(block_on(executor.run(&plan, &inputs)).unwrap(), before);
}

#[test]
fn a_gpu_with_timestamps_times_every_step() {
    let Some(device) = profiling_device("a_gpu_with_timestamps_times_every_step") else { return };
    profiles_as(Clock::Timestamps, gpu::Executor::new(device).into());
}

#[test]
fn a_gpu_without_timestamps_times_every_step_by_submits() {
    let Some(device) = device("a_gpu_without_timestamps_times_every_step_by_submits") else { return };
    assert!(!device.has_timestamps(), "runs that are not profiled ask for no feature");
    profiles_as(Clock::Submits, gpu::Executor::new(device).into());
}

#[test]
fn the_cpu_times_every_step() {
    profiles_as(Clock::Cpu, mobilebert::cpu::Executor::new(1).unwrap().into());
}

#[test]
fn the_parts_of_a_run_are_told_with_and_without_timestamps() {
    let test = "the_parts_of_a_run_are_told_with_and_without_timestamps";
    for (device, clock) in [(profiling_device(test), Clock::Timestamps), (device(test), Clock::Submits)] {
        let Some(device) = device else { return };
        let network = network();
        let mut executor = loaded(&network, gpu::Executor::new(device).into());
        let (plan, inputs) = plan_and_inputs(&network);
        let parts = block_on(executor.run_in_parts(&plan, &inputs)).unwrap().unwrap();
        assert_eq!(parts.clock, clock);
        assert!(parts.gpu > 0.0 && parts.encode > 0.0 && parts.readback >= 0.0, "{parts:?}");
    }
}

#[test]
fn the_cpu_has_no_parts_to_tell() {
    let network = network();
    let mut executor = loaded(&network, mobilebert::cpu::Executor::new(1).unwrap().into());
    let (plan, inputs) = plan_and_inputs(&network);
    assert_eq!(block_on(executor.run_in_parts(&plan, &inputs)).unwrap(), None);
}

#[test]
fn bytes_of_parameters_are_known_on_both_executors() {
    let network = network();
    let cpu: Executor = mobilebert::cpu::Executor::new(1).unwrap().into();
    let gpu = device("bytes_of_parameters_are_known_on_both_executors")
        .map(|device| Executor::from(gpu::Executor::new(device)));
    for executor in [Some(cpu), gpu].into_iter().flatten() {
        let executor = loaded(&network, executor);
        for (index, parameter) in network.parameters.iter().enumerate() {
            let bytes = executor.parameter_bytes(mobilebert::plan::ParameterId(index));
            let values = 4 * parameter.shape.iter().product::<usize>() as u64;
            // Matrices are padded to whole panels, of up to 32 columns.
            let columns = parameter.shape.first().copied().unwrap_or(1) as u64;
            let padded = values / columns * columns.next_multiple_of(32);
            let most =
                if parameter.role == Role::Matrix { padded.max(2 * values) + 4096 } else { values + 16 };
            assert!((values..=most).contains(&bytes), "{}: {bytes} bytes for {values}", parameter.name);
        }
        assert_eq!(executor.parameter_bytes(mobilebert::plan::ParameterId(network.parameters.len())), 0);
    }
}

#[test]
fn the_cost_of_a_dispatch_and_the_limits_are_measured_with_both_clocks() {
    let test = "the_cost_of_a_dispatch_and_the_limits_are_measured_with_both_clocks";
    for (device, clock) in [(profiling_device(test), Clock::Timestamps), (device(test), Clock::Submits)] {
        let Some(device) = device else { return };
        let overhead = block_on(Overhead::measure(&device)).unwrap();
        assert_eq!(overhead.clock, clock);
        for cost in [overhead.dependent, overhead.independent] {
            assert!(cost.encode.is_finite() && cost.gpu.is_finite(), "{overhead:?}");
        }
        let roofline = block_on(Roofline::measure(&device)).unwrap();
        assert_eq!(roofline.clock, clock);
        assert!(roofline.copy_gb_s > 0.0 && roofline.multiply_add_gflop_s > 0.0, "{roofline:?}");
        assert!(roofline.byte_dot_gop_s.is_some_and(|rate| rate > 0.0), "{roofline:?}");
    }
}
