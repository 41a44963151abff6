//! How steps are fused and named, and the limits of WebGPU.

use std::collections::HashSet;

use mobilebert::error::Error;
use mobilebert::plan::{Network, Operation, Request, Schedule, fits_gpu, limits};
use serde_json::json;

use crate::configurations::config;

#[test]
fn every_kernel_stays_within_the_guaranteed_bindings() {
    for kernel in mobilebert::kernels::kernels() {
        assert!(kernel.bindings.len() <= limits::STORAGE_BUFFERS, "{}", kernel.name);
    }
}

#[test]
fn fusion_leaves_one_kernel_per_attention_and_per_linear() {
    let fields = json!({ "model_type": "mobilebert", "architectures": ["MobileBertForQuestionAnswering"] });
    let network = Network::of(&config(&fields)).unwrap();
    let plan = network.plan(Request { batch: 1, sequence: 128, ..Request::default() }).unwrap();
    // Per layer: 2 bottlenecks, q, k, v, attention, output, 4 × 2 feed-forward, output bottleneck. Plus 3 steps before and
    // 1 step after the layers.
    assert_eq!(plan.steps.len(), 24 * 16 + 4);
    assert!(!plan.steps.iter().any(|step| matches!(
        step.operation,
        Operation::Add(_) | Operation::Activate(_) | Operation::AttentionProbabilities(_)
    )));
}

#[test]
fn requesting_attentions_outputs_the_probabilities() {
    let fields = json!({ "model_type": "bert", "num_hidden_layers": 2 });
    let network = Network::of(&config(&fields)).unwrap();
    let plan =
        network.plan(Request { batch: 2, sequence: 7, attentions: true, ..Request::default() }).unwrap();
    let kept: Vec<_> = plan.outputs.iter().filter(|output| output.name.starts_with("attentions.")).collect();
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().all(|output| output.shape == [2, 12, 7, 7] && output.sequence_axes == [2, 3]));
}

#[test]
fn steps_and_parameters_are_named_after_the_checkpoint() {
    let fields = json!({ "model_type": "mobilebert", "architectures": ["MobileBertForQuestionAnswering"] });
    let network = Network::of(&config(&fields)).unwrap();
    let plan =
        network.plan(Request { batch: 1, sequence: 8, schedule: Schedule::Operations, ..Request::default() });
    let plan = plan.unwrap();
    let labels: HashSet<&str> = plan.steps.iter().map(|step| step.label.as_str()).collect();
    for label in [
        "mobilebert.embeddings.word_embeddings",
        "mobilebert.embeddings.embedding_transformation",
        "mobilebert.encoder.layer.3.bottleneck.attention.dense",
        "mobilebert.encoder.layer.3.attention.self.query",
        "mobilebert.encoder.layer.3.attention.self.context",
        "mobilebert.encoder.layer.23.ffn.2.intermediate.dense.activation",
        "mobilebert.encoder.layer.23.output.bottleneck.dense.residual",
        "qa_outputs",
    ] {
        assert!(labels.contains(label), "{label}");
    }
    let names: HashSet<&str> = network.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    for name in [
        "mobilebert.embeddings.word_embeddings.weight",
        "mobilebert.encoder.layer.0.attention.output.LayerNorm.weight",
        "mobilebert.encoder.layer.7.attention.self.key.bias",
    ] {
        assert!(names.contains(name), "{name}");
    }
}

#[test]
fn out_of_range_batch_and_sequence_sizes_are_rejected() {
    let network = Network::of(&config(&json!({ "model_type": "mobilebert" }))).unwrap();
    for (batch, sequence, field) in
        [(1, 0, "sequence"), (1, 513, "sequence"), (0, 8, "batch"), (usize::MAX, 2, "batch")]
    {
        match network.plan(Request { batch, sequence, ..Request::default() }) {
            Err(Error::InvalidInput { field: found, .. }) => assert_eq!(found, field),
            other => panic!("{batch} × {sequence}: {other:?}"),
        }
    }
}

#[test]
fn an_output_larger_than_a_binding_is_rejected_by_name() {
    let fields = json!({ "model_type": "mobilebert", "architectures": ["MobileBertForMaskedLM"] });
    let network = Network::of(&config(&fields)).unwrap();
    let request = |batch| Request { batch, sequence: 512, ..Request::default() };
    network.plan(request(2)).unwrap();
    match network.plan(request(3)) {
        Err(Error::Unsupported { what, instead }) => {
            assert!(what.contains("cls.predictions.decoder"), "{what}");
            assert!(instead.contains("smaller batch"), "{instead}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_oversized_tensor_is_rejected_by_name() {
    let table = |vocab_size: usize| {
        let fields = json!({ "model_type": "bert", "vocab_size": vocab_size, "num_hidden_layers": 1 });
        Network::of(&config(&fields))
    };
    // A multilingual BERT's table exceeds the maximum binding size; a million words exceed the maximum allocation.
    for result in [fits_gpu(&table(119_547).unwrap()), table(1_000_000).map(|_| ())] {
        match result {
            Err(Error::Unsupported { what, .. }) => assert!(what.contains("word_embeddings"), "{what}"),
            other => panic!("{other:?}"),
        }
    }
    fits_gpu(&table(30_522).unwrap()).unwrap();
}

#[test]
fn the_attention_of_one_layer_computes_nothing_after_it() {
    let fields = json!({ "model_type": "mobilebert", "architectures": ["MobileBertForQuestionAnswering"] });
    let network = Network::of(&config(&fields)).unwrap();
    let of = |layer| Request { batch: 1, sequence: 9, attention_of: Some(layer), ..Request::default() };
    for layer in [0, 1, 23] {
        let plan = network.plan(of(layer)).unwrap();
        let outputs: Vec<_> = plan.outputs.iter().map(|output| output.name.as_str()).collect();
        assert_eq!(outputs, [format!("attentions.{layer}")]);
        // Per layer before it 16; then a bottleneck, query, key and the probabilities. Plus 3 steps of the embeddings.
        assert_eq!(plan.steps.len(), 3 + 16 * layer + 4);
        let last = &plan.steps.last().unwrap().label;
        assert_eq!(last, &format!("mobilebert.encoder.layer.{layer}.attention.self.probabilities"));
    }
    match network.plan(of(24)) {
        Err(Error::InvalidInput { field, .. }) => assert_eq!(field, "layer"),
        other => panic!("{other:?}"),
    }
}
