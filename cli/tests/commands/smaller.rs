//! `inspect`, `quantize`.

use serde_json::{Value, json};

use crate::models::{Stored, TinyModel, configuration, tensors, weights};
use crate::process::{Ran, mobilebert, text};

#[test]
fn inspect_counts_parameters_bytes_and_dispatches() {
    let model = TinyModel::new("ForQuestionAnswering");
    let report = mobilebert(&["inspect", model.argument(), "--sequence", "16", "--json"]).json();
    assert_eq!(report["architecture"], "MobileBertForQuestionAnswering");
    let parts = report["parameters"].as_object().unwrap();
    let total: u64 = parts.values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(report["parameters_total"], total);
    assert_eq!(report["bytes"]["F32"], 4 * total);
    assert_eq!(parts["head"], 2 * 32 + 2);
    let dispatches = report["dispatches"].as_array().unwrap();
    let flops: u64 = dispatches.iter().map(|dispatch| dispatch["flops"].as_u64().unwrap()).sum();
    assert_eq!(report["flops"], flops);
    let plain = mobilebert(&["inspect", model.argument()]).done();
    assert!(plain.contains("MobileBertForQuestionAnswering") && plain.contains("dispatches"), "{plain}");
    let unfused = mobilebert(&["inspect", model.argument(), "--schedule", "operations", "--json"]).json();
    assert!(unfused["dispatches"].as_array().unwrap().len() > dispatches.len());
}

#[test]
fn a_quantized_copy_is_a_complete_model_directory() {
    let model = TinyModel::new("ForSequenceClassification");
    let labels = |directory: &str| {
        let result =
            mobilebert(&["classify", "--device", "cpu", "--model", directory, "the cat sat", "--json"])
                .json();
        result["labels"].as_array().unwrap().clone()
    };
    let probability = |labels: &[Value]| {
        labels.iter().find(|label| label["label"] == "LABEL_0").unwrap()["probability"].as_f64().unwrap()
    };
    let exact = probability(&labels(model.argument()));
    for (dtype, allowed) in [("f16", 0.005), ("q8", 0.05)] {
        let out = model.file(dtype);
        let stdout =
            mobilebert(&["quantize", "--model", model.argument(), "--dtype", dtype, "--out", text(&out)])
                .done();
        assert!(stdout.contains("classifier.weight"), "{stdout}");
        let manifest: Value =
            serde_json::from_slice(&std::fs::read(out.join("files.json")).unwrap()).unwrap();
        assert_eq!(manifest["dtype"], dtype);
        let names: Vec<&str> =
            manifest["files"].as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap()).collect();
        assert!(
            ["config.json", "model.safetensors", "vocab.txt"].iter().all(|name| names.contains(name)),
            "{names:?}"
        );
        let found = probability(&labels(text(&out)));
        assert!((found - exact).abs() < allowed, "{dtype}: {found} for {exact}");
        assert_ne!(found, exact, "{dtype} changes the weights");
    }
}

/// `transformers` has one output per entry.
#[test]
fn labels_with_gaps_are_as_many_as_the_rows_of_the_classifier() {
    let model = TinyModel::new("ForSequenceClassification");
    let config = configuration("ForSequenceClassification", json!({"id2label": {"0": "bad", "2": "good"}}));
    model.write("config.json", config.to_string().as_bytes());
    let labels = |directory: &str| {
        mobilebert(&["inspect", directory, "--json"]).json()["labels"].as_array().unwrap().len()
    };
    assert_eq!(labels(model.argument()), 2);
    let out = model.file("q8");
    mobilebert(&["quantize", "--model", model.argument(), "--dtype", "q8", "--out", text(&out)]).done();
    assert_eq!(labels(text(&out)), 2);
}

#[test]
fn quantize_overwrites_nothing() {
    let model = TinyModel::new("ForSequenceClassification");
    let before = std::fs::read(model.file("model.safetensors")).unwrap();
    let arguments = ["quantize", "--model", model.argument(), "--dtype", "f16", "--out", model.argument()];
    mobilebert(&arguments).failed(&[model.argument()]);
    assert_eq!(std::fs::read(model.file("model.safetensors")).unwrap(), before);
}

/// Runs with a limit on file sizes, which looks like a full disk to a program.
#[cfg(unix)]
#[test]
fn a_copy_for_which_there_is_no_room_leaves_nothing() {
    use std::process::Command;

    let model = TinyModel::new("ForSequenceClassification");
    let out = model.file("q8");
    let script = r#"trap "" XFSZ; ulimit -f 4; exec "$@""#;
    let quantize = ["quantize", "--model", model.argument(), "--dtype", "q8", "--out", text(&out)];
    let mut limited = Command::new("sh");
    limited.args(["-c", script, "sh", env!("CARGO_BIN_EXE_mobilebert")]).args(quantize);
    Ran::of(limited.output().unwrap()).failed(&["model.safetensors"]);
    assert!(!out.exists());
    std::fs::create_dir(&out).unwrap();
    Ran::of(limited.output().unwrap()).failed(&["model.safetensors"]);
    assert_eq!(
        std::fs::read_dir(&out).unwrap().count(),
        0,
        "of a folder that was there, only its content goes"
    );
    mobilebert(&quantize).done();
}

#[test]
fn of_two_copies_to_one_directory_at_once_one_is_made() {
    let model = TinyModel::new("ForSequenceClassification");
    let out = model.file("out");
    let quantize = |dtype: &str| {
        mobilebert(&["quantize", "--model", model.argument(), "--dtype", dtype, "--out", text(&out)])
    };
    let codes = std::thread::scope(|scope| {
        let quantize = &quantize;
        let both = ["f16", "q8"].map(|dtype| scope.spawn(move || (dtype, quantize(dtype).code)));
        both.map(|process| process.join().unwrap())
    });
    let made: Vec<&str> =
        codes.iter().filter(|(_, code)| *code == Some(0)).map(|(dtype, _)| *dtype).collect();
    assert_eq!(made.len(), 1, "{codes:?}");
    let manifest: Value = serde_json::from_slice(&std::fs::read(out.join("files.json")).unwrap()).unwrap();
    assert_eq!(manifest["dtype"], made[0]);
    mobilebert(&["classify", "--device", "cpu", "--model", text(&out), "the cat"]).done();
}

#[test]
fn control_characters_in_the_names_of_tensors_do_not_reach_the_terminal() {
    let model = TinyModel::new("ForSequenceClassification");
    let config: Value = serde_json::from_slice(&std::fs::read(model.file("config.json")).unwrap()).unwrap();
    let mut stored = tensors(&config);
    stored.push(Stored { name: "\u{1b}[31mred\nline".into(), shape: vec![1], values: vec![0.0] });
    model.write("model.safetensors", &weights(&stored));
    let report = mobilebert(&["inspect", model.argument()]).done();
    assert!(report.contains("not used: \u{fffd}[31mred line"), "{report:?}");
    let out = model.file("f16");
    let quantize = ["quantize", "--model", model.argument(), "--dtype", "f16", "--out", text(&out)];
    assert!(!mobilebert(&quantize).done().contains('\u{1b}'));
}
