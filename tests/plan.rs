//! Plans of the whole family against the family written down without them.

mod support;

use std::collections::{BTreeMap, HashSet};

use mobilebert::config::{Config, Head};
use mobilebert::error::Error;
use mobilebert::plan::{Network, Operation, Plan, Request, Schedule, fits_gpu, limits};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::compare::compare_to_rms;
use support::family::Family64;
use support::random::Random;
use support::{checkpoint, interpreter};

const HEADS: [&str; 8] = [
    "Model",
    "ForQuestionAnswering",
    "ForSequenceClassification",
    "ForTokenClassification",
    "ForMaskedLM",
    "ForPreTraining",
    "ForNextSentencePrediction",
    "ForMultipleChoice",
];
const ACTIVATIONS: [&str; 6] = ["relu", "gelu", "gelu_new", "tanh", "silu", "linear"];

/// A random configuration of the whole family: odd sizes, every switch, every head.
fn random_config(random: &mut Random) -> Value {
    let heads = random.between(1, 3);
    let width = heads * random.between(1, 5);
    let activation = ACTIVATIONS[random.below(6)];
    let labels = random.between(1, 4);
    let mut ending = HEADS[random.below(8)];
    let mut fields =
        json!({ "vocab_size": random.between(3, 17), "max_position_embeddings": random.between(9, 12) });
    let mut set = |name: &str, value: Value| fields[name] = value;
    match random.below(4) {
        0 => {
            set("model_type", json!("distilbert"));
            set("dim", json!(width));
            set("n_heads", json!(heads));
            set("n_layers", json!(random.between(1, 3)));
            set("hidden_dim", json!(random.between(1, 11)));
            set("activation", json!(activation));
            if ["ForPreTraining", "ForNextSentencePrediction"].contains(&ending) {
                ending = "Model";
            }
            set("architectures", json!([format!("DistilBert{ending}")]));
        }
        1 => {
            set("model_type", json!("bert"));
            set("hidden_size", json!(width));
            set("num_attention_heads", json!(heads));
            set("num_hidden_layers", json!(random.between(1, 3)));
            set("intermediate_size", json!(random.between(1, 11)));
            set("type_vocab_size", json!(random.between(1, 3)));
            set("hidden_act", json!(activation));
            set("architectures", json!([format!("Bert{ending}")]));
        }
        _ => {
            let bottleneck = random.below(4) != 0;
            let hidden = if bottleneck { random.between(2, 16) } else { width };
            let embedding = if random.below(3) == 0 { hidden } else { random.between(1, hidden) };
            set("model_type", json!("mobilebert"));
            set("hidden_size", json!(hidden));
            set("intra_bottleneck_size", json!(width));
            set("embedding_size", json!(embedding));
            set("num_attention_heads", json!(heads));
            set("num_hidden_layers", json!(random.between(1, 3)));
            set("num_feedforward_networks", json!(random.between(1, 4)));
            set("intermediate_size", json!(random.between(1, 11)));
            set("use_bottleneck", json!(bottleneck));
            set("use_bottleneck_attention", json!(random.below(3) == 0));
            set("key_query_shared_bottleneck", json!(random.below(2) == 0));
            set("trigram_input", json!(random.below(2) == 0));
            set("classifier_activation", json!(random.below(3) != 0));
            set("normalization_type", json!(["no_norm", "layer_norm"][random.below(2)]));
            set("hidden_act", json!(activation));
            set("architectures", json!([format!("MobileBert{ending}")]));
        }
    }
    if ["ForSequenceClassification", "ForTokenClassification"].contains(&ending) {
        let names: BTreeMap<String, String> =
            (0..labels).map(|i| (i.to_string(), format!("label {i}"))).collect();
        set("id2label", json!(names));
    }
    fields
}

fn config(fields: &Value) -> Config {
    Config::from_json(fields.to_string()).unwrap()
}

fn everything(batch: usize, sequence: usize, schedule: Schedule) -> Request {
    Request { batch, sequence, schedule, hidden_states: true, attentions: true }
}

#[test]
fn every_plan_computes_what_the_family_is() {
    let mut seen = HashSet::new();
    for seed in 0..160 {
        let random = &mut Random::new(seed);
        let fields = random_config(random);
        let config = config(&fields);
        let network = Network::of(&config).unwrap();
        let tensors = checkpoint::tensors(&network, random);
        let parameters = checkpoint::assemble(&network, checkpoint::raw(&tensors)).unwrap();
        let (batch, sequence) = (random.between(1, 3), random.between(1, 8));
        let inputs = checkpoint::inputs(&config, batch, sequence, random);
        let expected =
            Family64 { config: &config, tensors: &tensors, inputs: &inputs, batch, sequence }.run();
        for schedule in [Schedule::Operations, Schedule::Tiled] {
            let plan = network.plan(everything(batch, sequence, schedule)).unwrap();
            let found = interpreter::run(&network, &plan, &parameters, &inputs);
            let names: HashSet<&str> = plan.outputs.iter().map(|output| output.name.as_str()).collect();
            assert_eq!(names.len(), plan.outputs.len(), "an output's name is there twice");
            assert_eq!(names, expected.keys().map(String::as_str).collect(), "{fields}");
            for (name, expected) in &expected {
                compare_to_rms(expected, &found[name], 2e-5).unwrap_or_else(|problem| {
                    panic!("seed {seed}, {schedule:?}, {name}: {problem}\n{fields}")
                });
            }
        }
        seen.insert((config.family.model_type(), config.head));
    }
    assert_eq!(seen.len(), 8 + 8 + 6, "not every family and head came up: {seen:?}");
}

#[test]
fn a_label_means_the_same_tensor_in_every_schedule() {
    for seed in 0..40 {
        let random = &mut Random::new(1000 + seed);
        let config = config(&random_config(random));
        let network = Network::of(&config).unwrap();
        let parameters =
            checkpoint::assemble(&network, checkpoint::raw(&checkpoint::tensors(&network, random))).unwrap();
        let inputs = checkpoint::inputs(&config, 2, 5, random);
        let run = |schedule| {
            let request = Request { batch: 2, sequence: 5, schedule, ..Request::default() };
            interpreter::run(&network, &network.plan(request).unwrap(), &parameters, &inputs)
        };
        let (operations, tiled) = (run(Schedule::Operations), run(Schedule::Tiled));
        assert!(tiled.len() < operations.len());
        for (label, found) in &tiled {
            compare_to_rms(&operations[label], found, 1e-12)
                .unwrap_or_else(|problem| panic!("{label}: {problem}"));
        }
    }
}

#[test]
fn padding_and_neighbours_change_nothing() {
    for seed in 0..60 {
        let random = &mut Random::new(2000 + seed);
        let config = config(&random_config(random));
        let network = Network::of(&config).unwrap();
        let parameters =
            checkpoint::assemble(&network, checkpoint::raw(&checkpoint::tensors(&network, random))).unwrap();
        let (length, padded) = (random.between(1, 5), random.between(6, 9));
        let alone = checkpoint::inputs(&config, 1, length, random);
        let mut beside = checkpoint::inputs(&config, 2, padded, random);
        for at in 0..padded {
            let there = at < length;
            beside.input_ids[padded + at] =
                if there { alone.input_ids[at] } else { mobilebert::plan::PAST_THE_END };
            beside.token_type_ids[padded + at] = if there { alone.token_type_ids[at] } else { 0 };
            beside.attention_mask[padded + at] = if there { alone.attention_mask[at] } else { 0 };
        }
        let run = |batch, sequence, inputs| {
            let request = Request { batch, sequence, hidden_states: true, ..Request::default() };
            interpreter::run(&network, &network.plan(request).unwrap(), &parameters, inputs)
        };
        let (short, long) = (run(1, length, &alone), run(2, padded, &beside));
        let name = format!("hidden_states.{}", config.num_hidden_layers);
        let width = config.hidden_size;
        let found = &long[&name][padded * width..][..length * width];
        compare_to_rms(&short[&name], found, 1e-12).unwrap();
    }
}

/// The bytes in use at once must not depend on how many layers there are.
#[test]
fn memory_is_reused_from_layer_to_layer() {
    let mobilebert = |layers: usize| {
        let fields = json!({ "model_type": "mobilebert", "num_hidden_layers": layers,
            "architectures": ["MobileBertForQuestionAnswering"] });
        let request = Request { batch: 1, sequence: 128, ..Request::default() };
        Network::of(&config(&fields)).unwrap().plan(request).unwrap()
    };
    let (few, many) = (mobilebert(2), mobilebert(24));
    assert_eq!(few.slots.iter().sum::<usize>(), many.slots.iter().sum::<usize>());
    assert!(many.slots.len() <= 8, "{:?}", many.slots);
    assert!(many.slots.iter().sum::<usize>() * 4 < 3 << 20, "{:?}", many.slots);
}

/// Runs a plan's steps on the slots alone, writing who owns each: a reader must find the writer it was promised.
fn assert_slots_hold_what_is_read(plan: &Plan) {
    let mut owner = vec![None; plan.slots.len()];
    for step in &plan.steps {
        let output = &plan.buffers[step.output.0];
        for buffer in step.operation.reads() {
            let slot = plan.buffers[buffer.0].slot;
            assert_eq!(owner[slot], Some(buffer), "{} reads what was overwritten", step.label);
            assert_ne!(slot, output.slot, "{} writes where it reads", step.label);
        }
        assert!(plan.slots[output.slot] >= output.len);
        owner[output.slot] = Some(step.output);
    }
    for output in &plan.outputs {
        assert_eq!(owner[plan.buffers[output.buffer.0].slot], Some(output.buffer), "{}", output.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn slots_labels_and_bindings_hold(seed in any::<u64>(), batch in 1usize..4, sequence in 1usize..9,
            keep in any::<[bool; 3]>()) {
        let config = config(&random_config(&mut Random::new(seed)));
        let network = Network::of(&config).unwrap();
        let schedule = if keep[0] { Schedule::Operations } else { Schedule::Tiled };
        let request = Request { batch, sequence, schedule, hidden_states: keep[1], attentions: keep[2] };
        let plan = network.plan(request).unwrap();
        assert_slots_hold_what_is_read(&plan);
        let labels: HashSet<&str> = plan.steps.iter().map(|step| step.label.as_str()).collect();
        prop_assert_eq!(labels.len(), plan.steps.len());
        let names: HashSet<&str> = network.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        prop_assert_eq!(names.len(), network.parameters.len());
        for step in &plan.steps {
            let parameters = step.operation.parameters();
            prop_assert!(step.operation.reads().len() + parameters.len() + 2 <= limits::STORAGE_BUFFERS);
        }
    }
}

#[test]
fn the_table_of_kernels_stays_within_the_bindings_granted() {
    for kernel in mobilebert::kernels::KERNELS {
        assert!(kernel.bindings.len() <= limits::STORAGE_BUFFERS, "{}", kernel.name);
    }
}

#[test]
fn fusing_leaves_one_kernel_an_attention_and_a_linear() {
    let fields = json!({ "model_type": "mobilebert", "architectures": ["MobileBertForQuestionAnswering"] });
    let network = Network::of(&config(&fields)).unwrap();
    let plan = network.plan(Request { batch: 1, sequence: 128, ..Request::default() }).unwrap();
    // A layer: 2 bottlenecks, q, k, v, attention, output, 4 × 2 feed-forward, output bottleneck. Around: 3 and 1.
    assert_eq!(plan.steps.len(), 24 * 16 + 4);
    assert!(!plan.steps.iter().any(|step| matches!(
        step.operation,
        Operation::Add { .. } | Operation::Activate { .. } | Operation::AttentionProbabilities { .. }
    )));
}

#[test]
fn attentions_keep_the_probabilities() {
    let fields = json!({ "model_type": "bert", "num_hidden_layers": 2 });
    let network = Network::of(&config(&fields)).unwrap();
    let plan =
        network.plan(Request { batch: 2, sequence: 7, attentions: true, ..Request::default() }).unwrap();
    let kept: Vec<_> = plan.outputs.iter().filter(|output| output.name.starts_with("attentions.")).collect();
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().all(|output| output.shape == [2, 12, 7, 7] && output.sequence_axes == [2, 3]));
}

#[test]
fn names_of_steps_and_parameters_are_the_checkpoints() {
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
fn sizes_of_a_run_are_checked() {
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
fn a_result_beyond_a_binding_is_refused_by_name() {
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
fn a_tensor_no_device_takes_is_refused_by_name() {
    let table = |vocab_size: usize| {
        let fields = json!({ "model_type": "bert", "vocab_size": vocab_size, "num_hidden_layers": 1 });
        Network::of(&config(&fields))
    };
    // A multilingual BERT's is longer than a binding may be, a million words are longer than an allocation.
    for refused in [fits_gpu(&table(119_547).unwrap()), table(1_000_000).map(|_| ())] {
        match refused {
            Err(Error::Unsupported { what, .. }) => assert!(what.contains("word_embeddings"), "{what}"),
            other => panic!("{other:?}"),
        }
    }
    fits_gpu(&table(30_522).unwrap()).unwrap();
}

#[test]
fn a_checkpoint_without_a_head_or_a_layer_is_named() {
    let fields = json!({ "model_type": "bert", "num_hidden_layers": 2, "architectures": ["BertForQuestionAnswering"] });
    let config = config(&fields);
    match Network::new(&config, &|name| !name.starts_with("qa_outputs")) {
        Err(Error::Tensor { tensor, problem, .. }) => {
            assert_eq!(tensor, "qa_outputs.weight");
            assert!(problem.contains("[2, 768]") && problem.contains("no head"), "{problem}");
        }
        other => panic!("{other:?}"),
    }
    match Network::new(&config, &|name| !name.contains("layer.1.attention")) {
        Err(Error::Tensor { tensor, problem, .. }) => {
            assert_eq!(tensor, "bert.encoder.layer.1.attention.self.query.weight");
            assert!(problem.contains("9 others"), "{problem}");
        }
        other => panic!("{other:?}"),
    }
}

/// Old names, prefixes and ties: each way of saving gives the same network.
#[test]
fn checkpoints_are_found_under_their_older_names() {
    let rename_gamma = |name: &str| !(name.contains("LayerNorm.weight") || name.contains("LayerNorm.bias"));
    let sources = |network: &Network| -> HashSet<String> {
        let sources = network.parameters.iter().flat_map(|parameter| parameter.recipe.sources());
        sources.map(|source| source.name().to_owned()).collect()
    };
    let head = |ending: &str| {
        config(
            &json!({ "model_type": "mobilebert", "num_hidden_layers": 1, "architectures": [format!("MobileBert{ending}")] }),
        )
    };
    let old = Network::new(&head("ForQuestionAnswering"), &rename_gamma).unwrap();
    assert!(sources(&old).contains("mobilebert.embeddings.LayerNorm.gamma"));
    assert!(sources(&old).contains("mobilebert.encoder.layer.0.output.LayerNorm.beta"));

    let bare = |name: &str| !name.starts_with("mobilebert.");
    assert!(
        sources(&Network::new(&head("ForQuestionAnswering"), &bare).unwrap())
            .contains("embeddings.word_embeddings.weight")
    );
    let prefixed = |name: &str| name.starts_with("mobilebert.");
    assert!(
        sources(&Network::new(&head("Model"), &prefixed).unwrap())
            .contains("mobilebert.encoder.layer.0.attention.self.query.weight")
    );
    let without_pooler = Network::new(&head("Model"), &|name| !name.contains("pooler")).unwrap();
    let plan = without_pooler.plan(Request { batch: 1, sequence: 4, ..Request::default() }).unwrap();
    assert_eq!(
        plan.outputs.iter().map(|output| output.name.as_str()).collect::<Vec<_>>(),
        ["last_hidden_state"]
    );

    let masked = head("ForMaskedLM");
    let own = sources(&Network::new(&masked, &|_| true).unwrap());
    assert!(own.contains("cls.predictions.decoder.weight") && own.contains("cls.predictions.decoder.bias"));
    let tied = sources(&Network::of(&masked).unwrap());
    assert!(!tied.contains("cls.predictions.decoder.weight") && tied.contains("cls.predictions.bias"));
    let only_decoder = |name: &str| !name.ends_with("word_embeddings.weight");
    assert!(
        sources(&Network::new(&masked, &only_decoder).unwrap()).contains("cls.predictions.decoder.weight")
    );
}

#[test]
fn heads_are_read_from_the_architecture() {
    for (ending, head) in [
        ("ForQuestionAnswering", Head::QuestionAnswering),
        ("ForSequenceClassification", Head::SequenceClassification),
        ("ForTokenClassification", Head::TokenClassification),
        ("ForMaskedLM", Head::MaskedLanguageModel),
        ("ForPreTraining", Head::PreTraining),
        ("ForNextSentencePrediction", Head::NextSentence),
        ("ForMultipleChoice", Head::MultipleChoice),
        ("Model", Head::Encoder),
    ] {
        for family in ["MobileBert", "Bert"] {
            let fields = json!({ "model_type": family.to_lowercase(), "architectures": [format!("{family}{ending}")] });
            let config = config(&fields);
            assert_eq!(config.head, head);
            assert_eq!(config.architecture(), format!("{family}{ending}"));
        }
    }
}
