//! Bytes that a step moves at least once.

use mobilebert::kernels::Linear;
use mobilebert::plan::{Network, Operation, ParameterId, Plan, Request};

use crate::configurations::config;

/// MobileBERT at full size, over 128 tokens, and the bytes of its parameters in f32.
fn mobilebert() -> (Network, Plan) {
    let fields = serde_json::json!({ "model_type": "mobilebert", "architectures": ["MobileBertModel"], "vocab_size": 30522 });
    let network = Network::of(&config(&fields)).unwrap();
    let plan = network.plan(Request { batch: 1, sequence: 128, ..Request::default() }).unwrap();
    (network, plan)
}

fn f32_bytes(network: &Network, id: ParameterId) -> u64 {
    4 * network.parameter(id).shape.iter().product::<usize>() as u64
}

/// The bytes of the first step that `which` picks.
fn bytes_of(network: &Network, plan: &Plan, which: impl Fn(&Operation) -> bool) -> u64 {
    let step = plan.steps.iter().find(|step| which(&step.operation)).unwrap();
    plan.step_bytes(network, step, &|id| f32_bytes(network, id))
}

#[test]
fn a_linear_moves_its_operands_and_its_result_once() {
    let (network, plan) = mobilebert();
    // The first bottleneck: 128 rows of 512 in, 128 out.
    let bottleneck = |operation: &Operation| match operation {
        Operation::Linear(Linear { weight, residual: None, .. }) => {
            network.parameter(*weight).shape == [128, 512]
        }
        _ => false,
    };
    let floats = 128 * 512 + 128 * 512 + 128 + 128 * 128;
    assert_eq!(bytes_of(&network, &plan, bottleneck), 4 * floats);
    // Back to 512, with the layer's input as a scaled residual.
    let back = |operation: &Operation| match operation {
        Operation::Linear(Linear { weight, residual: Some(residual), .. }) => {
            network.parameter(*weight).shape == [512, 128] && residual.scale.is_some()
        }
        _ => false,
    };
    let floats = 128 * 128 + 128 * 512 + 512 + 512 + 2 * 128 * 512;
    assert_eq!(bytes_of(&network, &plan, back), 4 * floats);
}

#[test]
fn a_table_counts_with_the_rows_that_are_read() {
    let (network, plan) = mobilebert();
    // 128 ids, as many word vectors of 128, and vectors of three times that.
    let floats = 128 + 128 * 128 + 128 * 384;
    let embedding = |operation: &Operation| matches!(operation, Operation::Embedding(_));
    assert_eq!(bytes_of(&network, &plan, embedding), 4 * floats);
    // Positions, both types, ids of types, and two activations.
    let floats = 128 * 512 + 2 * 512 + 128 + 2 * 128 * 512;
    let position = |operation: &Operation| matches!(operation, Operation::Position(_));
    assert_eq!(bytes_of(&network, &plan, position), 4 * floats);
}

#[test]
fn a_run_reads_every_weight_once() {
    let (network, plan) = mobilebert();
    let none = |_| 0;
    let activations: u64 = plan.steps.iter().map(|step| plan.step_bytes(&network, step, &none)).sum();
    let all: u64 =
        plan.steps.iter().map(|step| plan.step_bytes(&network, step, &|id| f32_bytes(&network, id))).sum();
    let tables = |operation: &Operation| match operation {
        Operation::Embedding(_) | Operation::Position(_) => operation.parameters(),
        _ => Vec::new(),
    };
    let gathered: Vec<ParameterId> = plan.steps.iter().flat_map(|step| tables(&step.operation)).collect();
    let others = (0..network.parameters.len()).map(ParameterId).filter(|id| !gathered.contains(id));
    let weights: u64 = others.map(|id| f32_bytes(&network, id)).sum();
    let rows = 4 * (128 * 128 + 128 * 512 + 2 * 512);
    assert_eq!(all - activations, weights + rows);
}
