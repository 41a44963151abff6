//! Configurations, tokenizers and weights that don't match each other.

use std::fs;

use mobilebert::error::Code;
use mobilebert::model::{AskOptions, QuestionAnswering, TextClassification};
use mobilebert::session::Sequence;
use serde_json::json;

use crate::folder::{Folder, WEIGHTS, assert_says, configuration, run};
use crate::support::checkpoint;

#[test]
fn configurations_that_do_not_match_the_weights_are_errors() {
    for (field, value) in [
        ("hidden_size", json!(14)),
        ("vocab_size", json!(12)),
        ("intermediate_size", json!(8)),
        ("num_hidden_layers", json!(3)),
        ("num_feedforward_networks", json!(3)),
        ("max_position_embeddings", json!(17)),
        ("use_bottleneck", json!(false)),
        ("trigram_input", json!(false)),
        ("num_labels", json!(3)),
        ("architectures", json!(["MobileBertForMaskedLM"])),
        ("architectures", json!(["MobileBertForSequenceClassification"])),
        ("model_type", json!("bert")),
    ] {
        let folder = Folder::new();
        let mut config = configuration();
        config[field] = value.clone();
        folder.write("config.json", config.to_string());
        let error = folder.error();
        assert!([Code::Corrupt, Code::Unsupported].contains(&error.code()), "{field} {value}: {error}");
    }
}

#[test]
fn weights_of_a_deeper_network_are_rejected() {
    for (field, value, found) in
        [("num_hidden_layers", 1, "layer.1."), ("num_feedforward_networks", 1, "ffn.0.")]
    {
        let folder = Folder::new();
        let mut config = configuration();
        config[field] = json!(value);
        folder.write("config.json", config.to_string());
        let error = folder.error();
        assert_eq!(error.culprit(), Some(("field", field)), "{error}");
        assert_says(&error, &["is 1", found, "at least 2"]);
    }
}

#[test]
fn configurations_with_absurd_numbers_are_errors() {
    let fields = [
        "vocab_size",
        "hidden_size",
        "embedding_size",
        "intra_bottleneck_size",
        "num_attention_heads",
        "intermediate_size",
        "num_hidden_layers",
        "num_feedforward_networks",
        "max_position_embeddings",
    ];
    let absurd =
        ["0", "-1", "1.5", "1e300", "4000000000", "18446744073709551616", "\"12\"", "null", "[]", "true"];
    for field in fields {
        for value in absurd {
            let folder = Folder::new();
            let number = configuration()[field].to_string();
            let text = configuration().to_string();
            let changed = text.replace(&format!("\"{field}\":{number}"), &format!("\"{field}\":{value}"));
            assert_ne!(text, changed);
            folder.write("config.json", changed);
            let error = folder.error();
            assert_ne!(error.code(), Code::Internal, "{field} = {value}: {error}");
            if value != "null" {
                assert!(error.to_string().contains(field), "{field} = {value}: {error}");
            }
        }
    }
}

#[test]
fn a_token_without_an_embedding_is_an_error_only_where_it_occurs() {
    let folder = Folder::new();
    let words = fs::read_to_string(folder.path("vocab.txt")).unwrap();
    folder.write("vocab.txt", format!("{words}\nword\n\n"));
    let mut task = QuestionAnswering::new(folder.open().unwrap()).unwrap();
    let mut ask = |text: &str| pollster::block_on(task.ask("a", text, &AskOptions::default()));
    assert!(ask("a b d").is_ok());
    let error = ask("a word b").unwrap_err();
    assert_eq!(error.code(), Code::InvalidInput);
    assert_says(&error, &["input_ids", "11 is not below vocab_size 11"]);
    assert!(ask("a b d").is_ok());
}

#[test]
fn a_model_may_have_more_embeddings_than_tokens() {
    let folder = Folder::new();
    let words = fs::read_to_string(folder.path("vocab.txt")).unwrap();
    folder.write("vocab.txt", words.strip_suffix("\nf").unwrap());
    folder.open().unwrap();
}

#[test]
fn files_that_are_not_a_vocabulary_are_errors() {
    let folder = Folder::new();
    let words: Vec<String> = (0..12).map(|word| format!("word{word}")).collect();
    folder.write("vocab.txt", format!("[PAD]\n[UNK]\n{}\n[CLS]\n[SEP]", words.join("\n")));
    assert_says(&folder.error(), &["vocab_size", "is 11", "\"[CLS]\"", "14"]);
    folder.write("vocab.txt", "");
    folder.error();
    folder.write("vocab.txt", [b'a', b'\n', 0xff, 0xc0]);
    assert_says(&folder.error(), &["vocab.txt"]);
    // Without a tokenizer, raw runs work and text is an error.
    fs::remove_file(folder.path("vocab.txt")).unwrap();
    let mut model = folder.open().unwrap();
    assert!(run(&mut model, Sequence::new(vec![2], vec![0])).is_ok());
    assert_eq!(model.tokenizer().err().unwrap().code(), Code::NotFound);
}

/// As saved by `transformers` for a model whose `id2label` has gaps, and as people number their labels.
#[test]
fn a_classifier_has_an_output_per_label_or_per_index_up_to_the_last() {
    for (rows, expected) in [(2, &["a", "LABEL_1"][..]), (3, &["a", "LABEL_1", "c"])] {
        let mut config = configuration();
        config["architectures"] = json!(["MobileBertForSequenceClassification"]);
        config["num_labels"] = json!(rows);
        let folder = Folder::of(&config);
        config["id2label"] = json!({ "0": "a", "2": "c" });
        folder.write("config.json", config.to_string());
        let mut task = TextClassification::new(folder.open().unwrap()).unwrap();
        let result = pollster::block_on(task.classify(&["a b".into()])).unwrap();
        let mut labels: Vec<&str> = result[0].labels.iter().map(|label| label.label.as_str()).collect();
        labels.sort_by_key(|label| expected.iter().position(|name| name == label));
        assert_eq!(labels, expected);
    }
}

/// The number of labels is in only one of the files, possibly the last.
#[test]
fn the_classifier_of_a_sharded_checkpoint_counts_the_labels_in_whichever_file_it_is() {
    let mut config = configuration();
    config["architectures"] = json!(["MobileBertForSequenceClassification"]);
    let folder = Folder::of(&config);
    let classify = || {
        let mut task = TextClassification::new(folder.open().unwrap()).unwrap();
        pollster::block_on(task.classify(&["a b".into()])).unwrap().remove(0).labels
    };
    config["id2label"] = json!({ "0": "a", "2": "c" });
    folder.write("config.json", config.to_string());
    let expected = classify();
    assert_eq!(expected.len(), 2);
    fs::remove_file(folder.path(WEIGHTS)).unwrap();
    let is_classifier = |name: &str| name.starts_with("classifier.");
    let (classifier, rest): (Vec<_>, Vec<_>) =
        folder.tensors.iter().cloned().partition(|raw| is_classifier(&raw.name));
    folder.write("m.safetensors", checkpoint::file(&rest, &[]));
    for file in ["a.safetensors", "z.safetensors"] {
        folder.write(file, checkpoint::file(&classifier, &[]));
        let place = |name: &str| if is_classifier(name) { file } else { "m.safetensors" };
        let map: serde_json::Map<_, _> =
            folder.tensors.iter().map(|raw| (raw.name.clone(), json!(place(&raw.name)))).collect();
        folder.write("model.safetensors.index.json", json!({ "weight_map": map }).to_string());
        assert_eq!(classify(), expected, "{file}");
    }
    // It is in the index, but its file contains other tensors.
    folder.write("z.safetensors", checkpoint::file(&rest[..1], &[]));
    assert_says(&folder.error(), &["classifier.weight", "is missing"]);
}
