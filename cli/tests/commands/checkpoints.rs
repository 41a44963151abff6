//! Trained checkpoints in the folder named by `MOBILEBERT_MODELS`, on slices of the data sets in
//! `MOBILEBERT_DATA`. A test without either reports by name that it was not run. `mobilebert eval` runs whole
//! data sets.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::not_run::{not_run, required};
use crate::process::{Ran, mobilebert, text};

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/commands/questions.json");

fn checkpoint(test: &str, name: &str) -> Option<PathBuf> {
    required(test, "MOBILEBERT_MODELS", name)
}

fn data(test: &str, name: &str) -> Option<PathBuf> {
    required(test, "MOBILEBERT_DATA", name)
}

fn eval(set: &[&str], model: &Path, data: &Path, more: &[&str]) -> Ran {
    let common = ["--model", text(model), "--data", text(data)];
    mobilebert(&[&["eval"], set, &common[..], more].concat())
}

/// Scores and predictions on the hundred questions of the fixture.
fn hundred(model: &Path, device: &str) -> (Value, Value) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("predictions.json");
    let more = ["--device", device, "--predictions", text(&path)];
    let scores = eval(&["squad"], model, Path::new(FIXTURE), &more).json();
    (scores, serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

#[test]
fn the_cpu_and_the_gpu_give_the_same_answers_to_a_hundred_questions() {
    let test = "the_cpu_and_the_gpu_give_the_same_answers_to_a_hundred_questions";
    let Some(model) = checkpoint(test, "minilm-l6-squad") else { return };
    let (scores, cpu) = hundred(&model, "cpu");
    assert_eq!(scores["n"], 100);
    assert!(scores["f1"].as_f64().unwrap() > 80.0, "{scores}");
    let probe = ["bench", "--model", text(&model), "--device", "gpu", "--sequence", "8", "--runs", "1"];
    if mobilebert(&probe).code != Some(0) {
        let required = std::env::var("MOBILEBERT_GPU").is_ok_and(|value| value == "require");
        assert!(!required, "MOBILEBERT_GPU=require, and there is no GPU adapter");
        return not_run(
            &format!("the GPU's half of {test}"),
            "no adapter; a software one will do (mesa-vulkan-drivers)",
        );
    }
    assert_eq!(cpu, hundred(&model, "gpu").1);
}

#[test]
fn a_slice_of_sst2_has_the_score_of_transformers() {
    let test = "a_slice_of_sst2_has_the_score_of_transformers";
    let Some(model) = checkpoint(test, "mobilebert-l6-sst2") else { return };
    let Some(file) = data(test, "sst2/dev.tsv") else { return };
    let scores =
        eval(&["glue", "--task", "sst-2"], &model, &file, &["--device", "cpu", "--limit", "200"]).json();
    // Score from `transformers` for the same two hundred sentences.
    assert_eq!(scores, json!({"n": 200, "accuracy": 80.0}));
}

#[test]
fn a_slice_of_squad_has_the_scores_of_transformers() {
    let test = "a_slice_of_squad_has_the_scores_of_transformers";
    let Some(model) = checkpoint(test, "minilm-l6-squad") else { return };
    let Some(file) = data(test, "squad/dev-v1.1.json") else { return };
    let scores = eval(&["squad"], &model, &file, &["--device", "cpu", "--limit", "100"]).json();
    // Scores from `transformers` for the same hundred questions.
    let stated =
        |name: &str, value: f64| assert!((scores[name].as_f64().unwrap() - value).abs() < 0.01, "{scores}");
    stated("exact_match", 80.0);
    stated("f1", 87.1246);
}
