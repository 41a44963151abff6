//! Directories without a model or with a damaged one: one line that names the file and the tensor or field.

use std::fs;

use serde_json::json;

use crate::models::{Stored, TinyModel, configuration, tensors, weights};
use crate::process::{Ran, mobilebert, text};

fn classify(model: &TinyModel) -> Ran {
    mobilebert(&["classify", "--device", "cpu", "--model", model.argument(), "the cat sat"])
}

/// A model whose weights have been changed.
fn changed(change: impl FnOnce(&mut Vec<Stored>)) -> TinyModel {
    let model = TinyModel::new("ForSequenceClassification");
    let mut tensors = tensors(&configuration("ForSequenceClassification", json!({})));
    change(&mut tensors);
    model.write("model.safetensors", &weights(&tensors));
    model
}

#[test]
fn the_unchanged_model_works() {
    classify(&TinyModel::new("ForSequenceClassification")).done();
}

#[test]
fn a_folder_without_a_model_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["classify", "--model", text(folder.path()), "the cat"];
    mobilebert(&arguments).failed(&["config.json", "not found"]);
    mobilebert(&["classify", "--model", "/nowhere/model", "the cat"]).failed(&["/nowhere/model"]);
    mobilebert(&["inspect", text(folder.path())]).failed(&["config.json", "not found"]);
    mobilebert(&["tokens", "--model", text(folder.path()), "the cat"])
        .failed(&["tokenizer.json", "vocab.txt"]);
}

#[test]
fn a_directory_without_a_required_file_is_an_error() {
    for (file, word) in [
        ("config.json", "config.json"),
        ("model.safetensors", "model.safetensors"),
        ("vocab.txt", "vocab.txt"),
    ] {
        let model = TinyModel::new("ForSequenceClassification");
        model.remove(file);
        classify(&model).failed(&[word]);
    }
}

#[test]
fn a_configuration_with_absurd_numbers_is_an_error() {
    let refused = |changes: serde_json::Value, words: &[&str]| {
        let model = TinyModel::new("ForSequenceClassification");
        model
            .write("config.json", configuration("ForSequenceClassification", changes).to_string().as_bytes());
        classify(&model).failed(words);
        mobilebert(&["inspect", model.argument()]).failed(words);
    };
    refused(json!({"hidden_size": 0}), &["config.json", "hidden_size"]);
    refused(json!({"hidden_size": -5}), &["hidden_size", "-5"]);
    refused(json!({"num_hidden_layers": 1e18}), &["num_hidden_layers"]);
    refused(json!({"intra_bottleneck_size": 17}), &["17", "2 heads"]);
    refused(json!({"hidden_act": "unheard of"}), &["hidden_act", "unheard of"]);
    refused(json!({"model_type": "gpt2"}), &["model_type", "gpt2"]);
    refused(json!({"hidden_size": "32"}), &["hidden_size"]);
}

#[test]
fn files_of_another_kind_are_recognized() {
    for (file, content) in [
        ("config.json", "<!doctype html><title>404</title>"),
        ("config.json", "{"),
        ("model.safetensors", "<!doctype html><title>404</title>"),
        ("model.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
        ("tokenizer.json", "<html>"),
        ("tokenizer.json", "{}"),
    ] {
        let model = TinyModel::new("ForSequenceClassification");
        model.write(file, content.as_bytes());
        classify(&model).failed(&[file]);
    }
}

#[test]
fn weights_of_the_wrong_length_are_errors() {
    let model = TinyModel::new("ForSequenceClassification");
    let whole = fs::read(model.file("model.safetensors")).unwrap();
    for length in [0, 4, 8, 100, whole.len() / 2, whole.len() - 1] {
        model.write("model.safetensors", &whole[..length]);
        classify(&model).failed(&["model.safetensors"]);
    }
    model.write("model.safetensors", &[&whole[..], b"more"].concat());
    classify(&model).failed(&["model.safetensors"]);
}

#[test]
fn inconsistent_headers_are_errors() {
    let file = |header: &str, data: usize| {
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &vec![0; data]].concat()
    };
    let model = TinyModel::new("ForSequenceClassification");
    for bytes in [
        u64::MAX.to_le_bytes().to_vec(),
        file("{\"a\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [0, 4]}}", 4),
        file("{\"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [4, 0]}}", 4),
        file(
            "{\"a\": {\"dtype\": \"F32\", \"shape\": [9223372036854775807, 4], \"data_offsets\": [0, 4]}}",
            4,
        ),
        file(
            "{\"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4]}, \"b\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [2, 6]}}",
            6,
        ),
        file("[]", 0),
        file("{}", 0),
    ] {
        model.write("model.safetensors", &bytes);
        classify(&model).failed(&[]);
        mobilebert(&["inspect", model.argument()]).failed(&[]);
    }
}

#[test]
fn a_missing_tensor_is_named() {
    let model = changed(|tensors| tensors.retain(|tensor| tensor.name != "classifier.weight"));
    classify(&model).failed(&["classifier.weight"]);
}

#[test]
fn the_error_for_a_wrong_shape_names_both_shapes() {
    let model = changed(|tensors| {
        let tensor = tensors.iter_mut().find(|tensor| tensor.name == "classifier.weight").unwrap();
        tensor.shape = vec![3, 32];
        tensor.values = vec![0.0; 96];
    });
    classify(&model).failed(&["classifier.weight", "[3, 32]", "[2, 32]"]);
}

#[test]
fn nan_in_the_weights_is_named() {
    for value in [f32::NAN, f32::INFINITY] {
        let model = changed(|tensors| {
            let tensor = tensors
                .iter_mut()
                .find(|tensor| tensor.name.ends_with("layer.1.output.dense.weight"))
                .unwrap();
            tensor.values[5] = value;
        });
        classify(&model).failed(&["layer.1.output.dense.weight"]);
    }
}

#[test]
fn a_token_without_an_embedding_is_an_error_only_in_a_text_with_it() {
    let model = TinyModel::new("ForSequenceClassification");
    let mut vocabulary = crate::models::vocabulary();
    vocabulary.push("beyond".into());
    model.write("vocab.txt", vocabulary.join("\n").as_bytes());
    classify(&model).done();
    let arguments = ["classify", "--device", "cpu", "--model", model.argument(), "beyond"];
    mobilebert(&arguments).failed(&["input_ids", "\"beyond\"", "vocab.txt", "vocab_size"]);
}

#[test]
fn a_file_that_is_not_a_vocabulary_is_an_error() {
    let model = TinyModel::new("ForSequenceClassification");
    model.write("vocab.txt", b"just\nwords\n");
    classify(&model).failed(&["vocab.txt"]);
    model.write("vocab.txt", b"[PAD]\n\xff\xfe\n");
    classify(&model).failed(&["vocab.txt", "UTF-8"]);
}

#[test]
fn a_wrong_hash_in_the_manifest_is_an_error() {
    let model = TinyModel::new("ForSequenceClassification");
    let bytes = fs::metadata(model.file("model.safetensors")).unwrap().len();
    let manifest = json!({"format": 1, "dtype": "f32", "files": [
        {"name": "model.safetensors", "bytes": bytes, "sha256": "0".repeat(64)}]});
    model.write("files.json", manifest.to_string().as_bytes());
    classify(&model).failed(&["model.safetensors"]);
}

#[test]
fn a_head_for_another_task_is_an_error() {
    let model = TinyModel::new("ForSequenceClassification");
    let arguments = ["--device", "cpu", "--model", model.argument()];
    let failed = |command: &[&str]| {
        drop(mobilebert(&[command, &arguments[..]].concat()).failed(&["MobileBertForSequenceClassification"]))
    };
    let passage = model.write("passage.txt", b"the cat sat");
    failed(&["answer", "--question", "who?", "--context", text(&passage)]);
    failed(&["label", "the cat"]);
    failed(&["fill-mask", "the [MASK]"]);
    let squad = json!({"data": [{"paragraphs": [{"context": "a", "qas": [{"id": "i", "question": "who?", "answers": []}]}]}]});
    let squad = model.write("dev.json", squad.to_string().as_bytes());
    failed(&["eval", "squad", "--data", text(&squad)]);
    classify(&TinyModel::new("ForQuestionAnswering")).failed(&["MobileBertForQuestionAnswering"]);
}
