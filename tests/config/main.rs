//! `config.json`: defaults of absent fields, and errors for invalid fields.

mod answers;

use mobilebert::config::{Activation, Bottleneck, Config, Family, Head, Normalization, ProblemType};
use mobilebert::error::{Code, Error};
use mobilebert::plan::{ModelPart, Network, Request};
use proptest::prelude::*;
use serde_json::{Value, json};

fn read(fields: Value) -> Result<Config, Error> {
    Config::from_json(fields.to_string())
}

#[test]
fn absent_fields_have_the_defaults_of_transformers() {
    let config = read(json!({ "model_type": "mobilebert" })).unwrap();
    assert_eq!(config.family, Family::MobileBert);
    assert_eq!(config.head, Head::Encoder);
    assert_eq!((config.vocab_size, config.hidden_size, config.embedding_size), (30522, 512, 128));
    assert_eq!((config.num_hidden_layers, config.num_attention_heads), (24, 4));
    assert_eq!((config.intermediate_size, config.num_feedforward_networks), (512, 4));
    assert_eq!((config.max_position_embeddings, config.type_vocab_size), (512, 2));
    let bottleneck = Bottleneck { size: 128, attention: false, key_query_shared: true };
    assert_eq!(config.bottleneck, Some(bottleneck));
    assert!(config.trigram_input && config.classifier_activation && config.tie_word_embeddings);
    assert_eq!((config.normalization, config.hidden_act), (Normalization::NoNorm, Activation::Relu));
    assert_eq!(config.labels, ["LABEL_0", "LABEL_1"]);

    let config = read(json!({ "model_type": "bert" })).unwrap();
    assert_eq!((config.hidden_size, config.embedding_size, config.intermediate_size), (768, 768, 3072));
    assert_eq!((config.num_hidden_layers, config.num_attention_heads), (12, 12));
    assert_eq!((config.normalization, config.hidden_act), (Normalization::LayerNorm, Activation::Gelu));
    assert_eq!((config.num_feedforward_networks, config.bottleneck), (1, None));
    assert!(!config.trigram_input);

    let config = read(json!({ "model_type": "distilbert" })).unwrap();
    assert_eq!((config.hidden_size, config.intermediate_size), (768, 3072));
    assert_eq!((config.num_hidden_layers, config.num_attention_heads), (6, 12));
    assert_eq!((config.type_vocab_size, config.hidden_act), (0, Activation::Gelu));
}

#[test]
fn distilberts_own_field_names_are_read() {
    let config = read(json!({ "model_type": "distilbert", "dim": 12, "n_layers": 2, "n_heads": 3,
        "hidden_dim": 7, "activation": "relu", "layer_norm_eps": 0.5 }));
    let config = config.unwrap();
    assert_eq!((config.hidden_size, config.num_hidden_layers, config.num_attention_heads), (12, 2, 3));
    assert_eq!(
        (config.intermediate_size, config.hidden_act, config.layer_norm_eps),
        (7, Activation::Relu, 1e-12)
    );
    let config = read(json!({ "model_type": "distilbert", "hidden_size": 24 })).unwrap();
    assert_eq!(config.hidden_size, 24);
}

#[test]
fn labels_and_problem_types_are_read() {
    let fields = json!({ "model_type": "bert", "id2label": { "1": "b", "0": "a", "2": 7 },
        "problem_type": "multi_label_classification" });
    let config = read(fields).unwrap();
    assert_eq!(config.labels, ["a", "b", "7"]);
    assert_eq!(config.problem_type, Some(ProblemType::MultiLabel));
    assert_eq!(read(json!({ "model_type": "bert", "num_labels": 3 })).unwrap().labels[2], "LABEL_2");
}

#[test]
fn labels_keep_their_indices_across_gaps() {
    let labels =
        |id2label: Value| read(json!({ "model_type": "bert", "id2label": id2label })).unwrap().labels;
    assert_eq!(labels(json!({ "0": "a", "3": "b" })), ["a", "LABEL_1", "LABEL_2", "b"]);
    assert_eq!(labels(json!({ "1": "b" })), ["LABEL_0", "b"]);
    assert_eq!(labels(json!({ "10": "k", "2": "c" }))[2], "c");
}

/// Python's `json` writes and reads them.
#[test]
fn numbers_that_json_does_not_have_are_accepted_in_fields_that_are_not_read() {
    let text = r#"{"model_type": "bert", "a": NaN, "b": [-Infinity,Infinity], "c": "a \"NaN\" \\", "d": {"NaN": NaN},
        "id2label": {"0": "NaN", "1": "-Infinity, NaN"}}"#;
    assert_eq!(Config::from_json(text).unwrap().labels, ["NaN", "-Infinity, NaN"]);
    for field in ["layer_norm_eps", "vocab_size", "hidden_act"] {
        for number in ["NaN", "-Infinity", "Infinity"] {
            let error = Config::from_json(format!(r#"{{"model_type": "bert", "{field}": {number}}}"#));
            let message = error.unwrap_err().to_string();
            assert!(message.contains(field) && message.contains(number), "{message}");
        }
    }
    for text in [r#"{"model_type": "bert", "a": NaN,"#, "NaN", r#"{"model_type": "bert", "a": NaNa}"#, "{NaN"]
    {
        assert!(matches!(Config::from_json(text), Err(Error::NotAModel { .. })), "{text}");
    }
}

#[test]
fn the_family_can_be_derived_from_the_architecture() {
    let config = read(json!({ "architectures": ["DistilBertForMaskedLM"] })).unwrap();
    assert_eq!((config.family, config.head), (Family::DistilBert, Head::MaskedLanguageModel));
}

/// The IB-BERT teacher, which no class of transformers can build: layers are wider inside than the hidden
/// state between them.
#[test]
fn ib_bert_layers_are_wider_than_the_hidden_state() {
    let config = read(ib_bert()).unwrap();
    assert_eq!((config.true_hidden_size(), config.head_size()), (1024, 256));
    let network = Network::of(&config).unwrap();
    let shape = |name: &str| {
        let full = format!("encoder.layer.0.{name}.weight");
        network.tensors().into_iter().find(|(name, _)| *name == full).unwrap().1.to_vec()
    };
    assert_eq!(shape("bottleneck.input.dense"), [1024, 512]);
    for module in ["query", "key", "value"] {
        assert_eq!(shape(&format!("attention.self.{module}")), [1024, 512]);
    }
    assert_eq!(shape("output.bottleneck.dense"), [512, 1024]);
    let count = network.parameter_count(ModelPart::Embeddings) + network.parameter_count(ModelPart::Layers);
    assert_eq!((count + 500_000) / 1_000_000, 294);
}

fn ib_bert() -> Value {
    json!({ "model_type": "mobilebert", "intra_bottleneck_size": 1024, "intermediate_size": 4096,
        "num_feedforward_networks": 1, "normalization_type": "layer_norm", "hidden_act": "gelu",
        "key_query_shared_bottleneck": false })
}

/// Expected numbers from transformers 5.23: `sum(p.numel() for p in model.parameters())`.
#[test]
fn parameter_counts_equal_those_of_transformers() {
    let encoder = |fields: Value| {
        let network = Network::of(&read(fields).unwrap()).unwrap();
        network.parameter_count(ModelPart::Embeddings) + network.parameter_count(ModelPart::Layers)
    };
    let whole = |fields: Value| {
        let network = Network::of(&read(fields).unwrap()).unwrap();
        ModelPart::ALL.into_iter().map(|part| network.parameter_count(part)).sum::<u64>()
    };
    assert_eq!(encoder(json!({ "model_type": "mobilebert" })), 24_581_888);
    assert_eq!(whole(json!({ "model_type": "mobilebert" })), 24_844_544);
    let masked = json!({ "model_type": "mobilebert", "architectures": ["MobileBertForMaskedLM"] });
    assert_eq!(whole(masked), 36_596_538);
    let pretraining = json!({ "model_type": "mobilebert", "architectures": ["MobileBertForPreTraining"] });
    assert_eq!(whole(pretraining), 36_860_220);
    let without_opt =
        json!({ "model_type": "mobilebert", "normalization_type": "layer_norm", "hidden_act": "gelu" });
    assert_eq!(encoder(without_opt), 24_581_888);
    let tiny = json!({ "model_type": "mobilebert", "use_bottleneck_attention": true,
        "num_feedforward_networks": 2, "key_query_shared_bottleneck": false });
    assert_eq!(whole(tiny), 15_748_352);
    assert_eq!(whole(json!({ "model_type": "bert" })), 109_482_240);
    let large = json!({ "model_type": "bert", "hidden_size": 1024, "num_hidden_layers": 24,
        "num_attention_heads": 16, "intermediate_size": 4096 });
    assert_eq!(whole(large), 335_141_888);
    assert_eq!(whole(json!({ "model_type": "distilbert" })), 66_362_880);
}

/// 835,584 multiply-adds per token and layer; 4.45 times as many operations for 512 tokens as for 128.
#[test]
fn operation_counts_equal_those_of_the_paper() {
    let network = Network::of(&read(json!({ "model_type": "mobilebert" })).unwrap()).unwrap();
    let flops = |sequence| {
        let plan = network.plan(Request { batch: 1, sequence, ..Request::default() }).unwrap();
        plan.flops(&network)
    };
    let (transformation, pooler) = (384 * 512, 512 * 512);
    let linears = 128 * (24 * 835_584 + transformation) + pooler;
    let attention = 24 * 2 * 128 * 128 * 128;
    assert_eq!(flops(128), 2 * (linears + attention));
    let ratio = flops(512) as f64 / flops(128) as f64;
    assert!((ratio - 4.45).abs() < 0.01, "{ratio}");
}

#[track_caller]
fn assert_config_error(fields: Value, field: &str, mentions: &[&str]) {
    match read(fields.clone()) {
        Err(error @ Error::Config { .. }) => {
            assert_eq!(error.culprit(), Some(("field", field)), "{error}");
            assert_eq!(error.code(), Code::Corrupt);
            let message = error.to_string();
            assert!(mentions.iter().all(|mention| message.contains(mention)), "{message}");
        }
        other => panic!("{fields}: {other:?}"),
    }
}

#[test]
fn errors_name_both_of_two_inconsistent_sizes() {
    let mobilebert = |field: &str, value: Value| json!({ "model_type": "mobilebert", field: value });
    assert_config_error(
        mobilebert("num_attention_heads", json!(5)),
        "num_attention_heads",
        &["5 heads", "128"],
    );
    assert_config_error(json!({ "model_type": "distilbert", "n_heads": 7 }), "n_heads", &["7 heads", "768"]);
    assert_config_error(
        mobilebert("true_hidden_size", json!(64)),
        "true_hidden_size",
        &["64", "128", "intra_bottleneck_size"],
    );
    let without = json!({ "model_type": "mobilebert", "use_bottleneck": false, "true_hidden_size": 128 });
    assert_config_error(without, "true_hidden_size", &["128", "hidden_size", "512"]);
    let masked = json!({ "model_type": "mobilebert", "architectures": ["MobileBertForMaskedLM"], "embedding_size": 600 });
    assert_config_error(masked, "embedding_size", &["600", "512"]);
    let labels =
        json!({ "model_type": "bert", "architectures": ["BertForQuestionAnswering"], "num_labels": 3 });
    assert_config_error(labels, "id2label", &["3 labels", "2"]);
    assert_config_error(
        json!({ "model_type": "bert", "vocab_size": 10, "pad_token_id": 10 }),
        "pad_token_id",
        &["10"],
    );
    for key in ["-1", "one", "1000000", "99999999999999999999"] {
        let labels = json!({ "model_type": "bert", "id2label": { "0": "a", key: "b" } });
        assert_config_error(labels, "id2label", &[key, "0 to 999999"]);
    }
    assert_config_error(json!({ "model_type": "bert", "id2label": {} }), "id2label", &["empty"]);
}

#[test]
fn errors_name_the_field_of_an_absurd_number() {
    for field in [
        "vocab_size",
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "intermediate_size",
        "max_position_embeddings",
        "type_vocab_size",
        "embedding_size",
        "intra_bottleneck_size",
        "num_feedforward_networks",
    ] {
        for value in [
            json!(0),
            json!(-1),
            json!(1e12),
            json!(1_000_000_000_000u64),
            json!(u64::MAX),
            json!(2.5),
            json!("512"),
            Value::Null,
            json!([512]),
            json!(true),
        ] {
            assert_config_error(json!({ "model_type": "mobilebert", field: value }), field, &[]);
        }
    }
    assert_config_error(json!({ "model_type": "bert", "layer_norm_eps": -1.0 }), "layer_norm_eps", &["-1"]);
    assert_config_error(json!({ "model_type": "bert", "layer_norm_eps": "small" }), "layer_norm_eps", &[]);
    assert_config_error(
        json!({ "model_type": "mobilebert", "trigram_input": 1 }),
        "trigram_input",
        &["true or false"],
    );
    assert_config_error(json!({ "model_type": "bert", "num_labels": 1e9 }), "num_labels", &[]);
    assert_config_error(json!({ "model_type": "bert", "problem_type": "guess" }), "problem_type", &["guess"]);
    assert_config_error(
        json!({ "model_type": "bert", "architectures": "BertModel" }),
        "architectures",
        &["list"],
    );
    assert_config_error(json!({ "model_type": 3 }), "model_type", &["string"]);
    assert_config_error(json!({ "hidden_size": 3 }), "model_type", &["missing"]);
    let deep = json!({ "model_type": "mobilebert", "num_hidden_layers": 10_000, "num_feedforward_networks": 10_000 });
    assert_config_error(deep, "num_feedforward_networks", &["10000 layers"]);
}

#[test]
fn unsupported_options_are_rejected() {
    for (fields, mentions) in [
        (json!({ "model_type": "roberta" }), "roberta"),
        (json!({ "model_type": "bert", "hidden_act": "gelu_10" }), "hidden_act"),
        (json!({ "model_type": "distilbert", "activation": "mish" }), "activation"),
        (
            json!({ "model_type": "bert", "position_embedding_type": "relative_key" }),
            "position_embedding_type",
        ),
        (json!({ "model_type": "bert", "is_decoder": true }), "is_decoder"),
        (json!({ "model_type": "bert", "add_cross_attention": true }), "add_cross_attention"),
        (json!({ "model_type": "bert", "pruned_heads": { "0": [1] } }), "pruned_heads"),
        (json!({ "model_type": "bert", "quantization_config": { "bits": 4 } }), "quantization_config"),
        (json!({ "model_type": "mobilebert", "normalization_type": "batch_norm" }), "batch_norm"),
        (json!({ "model_type": "bert", "architectures": ["BertLMHeadModel"] }), "BertLMHeadModel"),
        (json!({ "model_type": "bert", "architectures": ["MobileBertModel"] }), "MobileBertModel"),
        (
            json!({ "model_type": "distilbert", "architectures": ["DistilBertForPreTraining"] }),
            "DistilBertForPreTraining",
        ),
    ] {
        match read(fields.clone()) {
            Err(error @ Error::Unsupported { .. }) => {
                assert!(error.to_string().contains(mentions), "{error}")
            }
            other => panic!("{fields}: {other:?}"),
        }
    }
    read(json!({ "model_type": "bert", "position_embedding_type": "absolute", "is_decoder": false, "pruned_heads": {} })).unwrap();
}

#[test]
fn files_that_are_not_a_configuration_are_rejected() {
    for (text, mentions) in [
        ("<!doctype html><title>404</title>", "HTML"),
        ("  <html>", "HTML"),
        ("", "not JSON"),
        ("[1, 2]", "not an object"),
        ("{\"model_type\": \"bert\"", "not JSON"),
        ("null", "not an object"),
    ] {
        match Config::from_json(text) {
            Err(error @ Error::NotAModel { .. }) => assert!(error.to_string().contains(mentions), "{error}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    assert!(matches!(Config::from_json(b"\xFF\xFE{}"), Err(Error::NotAModel { .. })));
    Config::from_json("\u{feff}{\"model_type\": \"bert\"}").unwrap();
}

#[test]
fn a_long_value_is_truncated_in_the_message() {
    let error = read(json!({ "model_type": "bert", "hidden_size": "é".repeat(100_000) })).unwrap_err();
    assert!(error.to_string().len() < 300);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in any::<Vec<u8>>()) {
        let _ = Config::from_json(bytes);
    }

    /// With any value in a field: an error, or a configuration whose plan can be built or is rejected.
    #[test]
    fn random_values_are_rejected_or_planned(
        family in prop::sample::select(vec!["mobilebert", "bert", "distilbert"]),
        fields in prop::collection::btree_map(
            prop::sample::select(vec!["vocab_size", "hidden_size", "dim", "num_attention_heads", "n_heads",
                "num_hidden_layers", "intermediate_size", "embedding_size", "intra_bottleneck_size",
                "use_bottleneck", "trigram_input", "layer_norm_eps", "id2label", "hidden_act",
                "max_position_embeddings", "num_feedforward_networks", "type_vocab_size"]),
            prop_oneof![
                (0u64..20).prop_map(|number| json!(number)),
                any::<i64>().prop_map(|number| json!(number)),
                any::<f64>().prop_map(|number| json!(number)),
                any::<bool>().prop_map(|flag| json!(flag)),
                Just(json!(null)), Just(json!("gelu")), Just(json!({ "0": "a" })),
            ],
            0..6,
        ),
    ) {
        let mut config = json!(fields);
        config["model_type"] = json!(family);
        config["num_hidden_layers"] = fields.get("num_hidden_layers").cloned().unwrap_or(json!(1));
        if let Ok(config) = read(config) {
            prop_assume!(config.num_hidden_layers * config.num_feedforward_networks < 100);
            let request = Request { batch: 1, sequence: 1, ..Request::default() };
            match Network::of(&config).and_then(|network| network.plan(request)) {
                Ok(_) | Err(Error::Unsupported { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}
