//! Directories with only `pytorch_model.bin`, like most models from before 2023.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::process::{mobilebert, text};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/pytorch").join(name)
}

/// A copy of a fixture.
fn copy(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["config.json", "pytorch_model.bin", "vocab.txt"] {
        fs::copy(fixture(name).join(file), folder.path().join(file)).unwrap();
    }
    folder
}

/// Largest difference between `logits` and those of `transformers`.
fn difference(model: &Path, name: &str) -> f64 {
    let expected: Value =
        serde_json::from_slice(&fs::read(fixture(name).join("expected.json")).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [input, output] = ["input.json", "output.safetensors"].map(|file| folder.path().join(file));
    let ids = json!({ "input_ids": expected["input_ids"], "attention_mask": expected["attention_mask"] });
    fs::write(&input, ids.to_string()).unwrap();
    let arguments =
        ["--model", text(model), "--device", "cpu", "--input", text(&input), "--output", text(&output)];
    mobilebert(&[&["run"], &arguments[..]].concat()).done();
    let bytes = fs::read(&output).unwrap();
    let found = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let found = found.tensor("logits").unwrap();
    let found: Vec<f32> = found.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let mut stated = Vec::new();
    flatten(&expected["logits"], &mut stated);
    assert_eq!(found.len(), stated.len());
    found.iter().zip(stated).map(|(found, stated)| (f64::from(*found) - stated).abs()).fold(0.0, f64::max)
}

fn flatten(value: &Value, numbers: &mut Vec<f64>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| flatten(item, numbers)),
        number => numbers.push(number.as_f64().unwrap()),
    }
}

#[test]
fn logits_equal_those_of_transformers_in_both_formats() {
    // Without `architectures`: the tensors decide.
    assert!(difference(&fixture("mobilebert"), "mobilebert") < 2e-4);
    assert!(difference(&fixture("bert-legacy"), "bert-legacy") < 1e-5);
}

#[test]
fn a_quantized_copy_is_safetensors() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("q8");
    mobilebert(&["quantize", "--model", text(&fixture("bert-legacy")), "--dtype", "q8", "--out", text(&out)])
        .done();
    assert!(out.join("model.safetensors").is_file() && !out.join("pytorch_model.bin").exists());
    assert!(difference(&out, "bert-legacy") < 0.05);
    let report = mobilebert(&["inspect", text(&out), "--json"]).json();
    assert!(report["bytes"]["I8"].as_u64().unwrap() > 0, "{report}");
}

#[test]
fn inspect_lists_what_a_checkpoint_has_beyond_the_model() {
    let report = mobilebert(&["inspect", text(&fixture("bert-legacy")), "--json"]).json();
    assert_eq!(report["unused_tensors"], json!(["bert.embeddings.position_ids"]));
    assert_eq!(report["bytes"], json!({ "F32": 13736, "I64": 256 }));
}

/// Two shards, each with a part of the tensors: the whole checkpoint under two names would contain them
/// twice.
#[test]
fn shards_are_found_by_their_index_and_a_missing_one_is_named() {
    let folder = copy("mobilebert");
    let bin = folder.path().join("pytorch_model.bin");
    let shard = "pytorch_model-00001-of-00001.bin";
    fs::rename(&bin, folder.path().join(shard)).unwrap();
    let report =
        mobilebert(&["inspect", text(folder.path())]).failed(&["model.safetensors", "pytorch_model.bin"]);
    assert!(!report.contains("index"), "{report}");
    let names = tensor_names(&folder.path().join(shard));
    let map: serde_json::Map<String, Value> = names.into_iter().map(|name| (name, json!(shard))).collect();
    let index = json!({ "metadata": {}, "weight_map": map }).to_string();
    fs::write(folder.path().join("pytorch_model.bin.index.json"), index).unwrap();
    assert!(difference(folder.path(), "mobilebert") < 2e-4);
    fs::remove_file(folder.path().join(shard)).unwrap();
    mobilebert(&["inspect", text(folder.path())])
        .failed(&[shard, "pytorch_model.bin.index.json lists this shard"]);
}

fn tensor_names(file: &Path) -> Vec<String> {
    let bytes = fs::read(file).unwrap();
    let mut stream = mobilebert::weights::Stream::new("shard", None);
    stream.push(&bytes).unwrap();
    stream.finish().unwrap().tensors.into_iter().map(|entry| entry.name).collect()
}

#[test]
fn safetensors_is_preferred_and_the_content_decides_the_format() {
    let folder = copy("mobilebert");
    let [bin, safe] = ["pytorch_model.bin", "model.safetensors"].map(|name| folder.path().join(name));
    fs::copy(&bin, &safe).unwrap();
    fs::write(&bin, "not weights").unwrap();
    assert!(difference(folder.path(), "mobilebert") < 2e-4);
    fs::remove_file(safe).unwrap();
    mobilebert(&["inspect", text(folder.path())]).failed(&["pytorch_model.bin", "not a model file"]);
}
