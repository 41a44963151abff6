//! The number of bytes that a step must read and write.

use mobilebert::kernels::Linear;
use mobilebert::plan::{Network, Operation, ParameterId, Plan, Request};

use crate::configurations::config;

/// Full-size MobileBERT and its plan for 128 tokens.
fn mobilebert() -> (Network, Plan) {
    let fields = serde_json::json!({ "model_type": "mobilebert", "architectures": ["MobileBertModel"], "vocab_size": 30522 });
    let network = Network::of(&config(&fields)).unwrap();
    let plan = network.plan(Request { batch: 1, sequence: 128, ..Request::default() }).unwrap();
    (network, plan)
}

fn f32_bytes(network: &Network, id: ParameterId) -> u64 {
    4 * network.parameter(id).shape.iter().product::<usize>() as u64
}

/// Bytes of the first step selected by `which`.
fn bytes_of(network: &Network, plan: &Plan, which: impl Fn(&Operation) -> bool) -> u64 {
    let step = plan.steps.iter().find(|step| which(&step.operation)).unwrap();
    plan.step_bytes(network, step, &|id| f32_bytes(network, id))
}

#[test]
fn a_linear_moves_its_operands_and_output_once() {
    let (network, plan) = mobilebert();
    let of_shape = |shape: [usize; 2]| {
        let network = &network;
        move |operation: &Operation| match operation {
            Operation::Linear(Linear { weight, residual: None, .. }) => {
                network.parameter(*weight).shape == shape
            }
            _ => false,
        }
    };
    // The first bottlenecks and the value: 128 rows, 512 features in, 3 · 128 out.
    let floats = 128 * 512 + 384 * 512 + 384 + 128 * 384;
    assert_eq!(bytes_of(&network, &plan, of_shape([384, 512])), 4 * floats);
    // Query and key, which read 128 of these columns.
    let floats = 128 * 128 + 256 * 128 + 256 + 128 * 256;
    assert_eq!(bytes_of(&network, &plan, of_shape([256, 128])), 4 * floats);
    // Attention reads the mask and 128 columns each of query, key and value.
    let attention = |operation: &Operation| matches!(operation, Operation::Attention(_));
    assert_eq!(bytes_of(&network, &plan, attention), 4 * (128 + 4 * 128 * 128));
    // The output bottleneck, with the layer's input as a scaled residual.
    let output_bottleneck = |operation: &Operation| match operation {
        Operation::Linear(Linear { weight, residual: Some(residual), .. }) => {
            network.parameter(*weight).shape == [512, 128] && residual.scale.is_some()
        }
        _ => false,
    };
    let floats = 128 * 128 + 128 * 512 + 512 + 512 + 2 * 128 * 512;
    assert_eq!(bytes_of(&network, &plan, output_bottleneck), 4 * floats);
}

#[test]
fn only_the_rows_read_from_a_table_count() {
    let (network, plan) = mobilebert();
    // 128 ids, 128 word vectors of 128, and 128 output vectors of 3 · 128.
    let floats = 128 + 128 * 128 + 128 * 384;
    let embedding = |operation: &Operation| matches!(operation, Operation::Embedding(_));
    assert_eq!(bytes_of(&network, &plan, embedding), 4 * floats);
    // Position vectors, both type vectors, type ids, and two activations.
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
