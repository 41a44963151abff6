//! Fusion and names of steps, and WebGPU's limits.

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
fn fusion_leaves_one_kernel_per_attention_and_per_input_of_linears() {
    let fields = json!({ "model_type": "mobilebert", "architectures": ["MobileBertForQuestionAnswering"] });
    let network = Network::of(&config(&fields)).unwrap();
    let plan = network.plan(Request { batch: 1, sequence: 128, ..Request::default() }).unwrap();
    // Per layer: [b | shared | v], [q | k], attention, output, 4 × 2 feed-forward, output bottleneck. Plus 3 steps
    // before and 1 step after the layers.
    assert_eq!(plan.steps.len(), 24 * 13 + 4);
    assert!(!plan.steps.iter().any(|step| matches!(
        step.operation,
        Operation::Add(_) | Operation::Activate(_) | Operation::AttentionProbabilities(_)
    )));
}

#[test]
fn linears_of_the_same_input_are_one_dispatch() {
    let count = |fields: serde_json::Value, folds: bool| {
        let config = config(&fields);
        let mut network = Network::of(&config).unwrap();
        if folds {
            network = network.folded().unwrap();
        }
        network.plan(Request { batch: 1, sequence: 128, ..Request::default() }).unwrap().steps.len()
    };
    let mobilebert = bottlenecks(false, "QuestionAnswering");
    let tiny = bottlenecks(true, "QuestionAnswering");
    let mut with_layer_norm = mobilebert.clone();
    with_layer_norm["normalization_type"] = json!("layer_norm");
    let mut unshared = mobilebert.clone();
    unshared["key_query_shared_bottleneck"] = json!(false);
    let bert = json!({ "model_type": "bert", "architectures": ["BertForQuestionAnswering"] });
    let distilbert =
        json!({ "model_type": "distilbert", "architectures": ["DistilBertForQuestionAnswering"] });
    // Folded, [b | q | k | v] of the layer's input is one step.
    assert_eq!([count(mobilebert.clone(), false), count(mobilebert, true)], [316, 292]);
    // b, [q | k | v], attention, output, 2 × 2 feed-forward, output bottleneck.
    assert_eq!([count(tiny.clone(), false), count(tiny, true)], [24 * 9 + 4; 2]);
    // A separately named LayerNorm follows every linear, and the embeddings: 2 + 1 + 4 + 1 per layer.
    assert_eq!([count(with_layer_norm.clone(), false), count(with_layer_norm, true)], [24 * 21 + 5; 2]);
    assert_eq!([count(unshared.clone(), false), count(unshared, true)], [24 * 12 + 4; 2]);
    // [q | k | v], attention, output and norm, two for feed-forward and norm; 3 steps before and 1 after.
    assert_eq!(count(bert, false), 12 * 7 + 4);
    assert_eq!(count(distilbert, false), 6 * 7 + 4);
}

/// MobileBERT or its TINY variant.
fn bottlenecks(tiny: bool, head: &str) -> serde_json::Value {
    json!({ "model_type": "mobilebert", "architectures": [format!("MobileBertFor{head}")],
        "num_feedforward_networks": if tiny { 2 } else { 4 }, "use_bottleneck_attention": tiny })
}

#[test]
fn a_chain_is_one_dispatch_per_layer() {
    // 24 layers, and before them one dispatch that gathers vectors and one that starts the first layer. A
    // head that reads first tokens is one more; any other head is part of the last layer.
    for (tiny, head, dispatches) in [
        (false, "QuestionAnswering", 26),
        (true, "QuestionAnswering", 26),
        (false, "SequenceClassification", 27),
        (true, "TokenClassification", 26),
        // Both the hidden states and the pooled one are results.
        (false, "Encoder", 27),
    ] {
        let mut fields = bottlenecks(tiny, head);
        if head == "Encoder" {
            fields["architectures"] = json!(["MobileBertModel"]);
        }
        let network = Network::of(&config(&fields)).unwrap();
        let request = Request { batch: 1, sequence: 128, schedule: Schedule::Chain, ..Request::default() };
        let plan = network.plan(request).unwrap();
        let chains = plan.steps.iter().filter(|step| matches!(step.operation, Operation::Chain(_))).count();
        assert_eq!((plan.steps.len(), chains), (dispatches, dispatches - 1), "{head}");
        assert!(mobilebert::kernels::chain::KERNEL.bindings.len() <= 5);
    }
}

#[test]
fn a_network_that_is_no_chain_is_refused_with_the_reason() {
    let refused = |fields: serde_json::Value, change: &dyn Fn(&mut Request)| {
        let network = Network::of(&config(&fields)).unwrap();
        let mut request = Request { batch: 1, sequence: 8, schedule: Schedule::Chain, ..Request::default() };
        change(&mut request);
        match network.plan(request) {
            Err(Error::Unsupported { instead, .. }) => instead,
            other => panic!("{other:?}"),
        }
    };
    let mut with_layer_norm = bottlenecks(false, "QuestionAnswering");
    with_layer_norm["normalization_type"] = json!("layer_norm");
    let mut wide = bottlenecks(false, "QuestionAnswering");
    wide["hidden_size"] = json!(768);
    let mut deep = bottlenecks(false, "QuestionAnswering");
    deep["num_feedforward_networks"] = json!(9);
    let mut odd = bottlenecks(false, "QuestionAnswering");
    odd["num_attention_heads"] = json!(64);
    for (fields, reason) in [
        (with_layer_norm, "LayerNorm"),
        (json!({ "model_type": "bert", "num_hidden_layers": 2 }), "LayerNorm"),
        (wide, "wider than a workgroup's memory"),
        (deep, "has 25 linears"),
        (odd, "64 heads of 2"),
    ] {
        let found = refused(fields, &|_| ());
        assert!(found.contains(reason), "{found}");
    }
    let found = refused(bottlenecks(false, "QuestionAnswering"), &|request| request.hidden_states = true);
    assert!(found.contains("tiled"), "{found}");
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
        // Shared by query and key, and named after the first.
        "mobilebert.encoder.layer.7.attention.self.query.bias",
    ] {
        assert!(names.contains(name), "{name}");
    }
}

#[test]
fn joined_steps_are_named_after_all_of_their_modules() {
    let network = Network::of(&config(&bottlenecks(false, "QuestionAnswering"))).unwrap();
    let plan = network.plan(Request { batch: 1, sequence: 8, ..Request::default() }).unwrap();
    let labels: HashSet<&str> = plan.steps.iter().map(|step| step.label.as_str()).collect();
    for label in [
        "mobilebert.encoder.layer.3.bottleneck.input.dense | bottleneck.attention.dense | attention.self.value",
        "mobilebert.encoder.layer.3.attention.self.query | key",
    ] {
        assert!(labels.contains(label), "{label}");
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
fn an_output_larger_than_an_allocation_is_rejected_by_name() {
    let fields = json!({ "model_type": "mobilebert", "architectures": ["MobileBertForMaskedLM"] });
    let network = Network::of(&config(&fields)).unwrap();
    let request = |batch| Request { batch, sequence: 512, ..Request::default() };
    // The CPU can take what WebGPU doesn't guarantee.
    network.plan(request(34)).unwrap();
    match network.plan(request(35)) {
        Err(Error::Unsupported { what, instead }) => {
            assert!(what.contains("cls.predictions.decoder"), "{what}");
            assert!(instead.contains("at most 2147483647 bytes"), "{instead}");
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
        // 13 per layer before it, then a bottleneck, [q | k] and the probabilities. Plus 3 steps of the
        // embeddings.
        assert_eq!(plan.steps.len(), 3 + 13 * layer + 3);
        let last = &plan.steps.last().unwrap().label;
        assert_eq!(last, &format!("mobilebert.encoder.layer.{layer}.attention.self.probabilities"));
    }
    match network.plan(of(24)) {
        Err(Error::InvalidInput { field, .. }) => assert_eq!(field, "layer"),
        other => panic!("{other:?}"),
    }
}
