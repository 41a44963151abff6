//! `zero-shot`, `rank`, and `encode` with sentence-transformers files.

use serde_json::{Value, json};

use crate::models::TinyModel;
use crate::process::{Ran, mobilebert, mobilebert_reading, text};

fn inference() -> TinyModel {
    let labels = json!({"0": "contradiction", "1": "neutral", "2": "entailment"});
    TinyModel::with("ForSequenceClassification", json!({"id2label": labels}))
}

fn cross_encoder(activation: &str) -> TinyModel {
    let changes =
        json!({"id2label": {"0": "LABEL_0"}, "sentence_transformers": {"activation_fn": activation}});
    TinyModel::with("ForSequenceClassification", changes)
}

const SIGMOID: &str = "torch.nn.modules.activation.Sigmoid";

fn zero_shot(model: &TinyModel, more: &[&str]) -> Ran {
    mobilebert(&[&["zero-shot", "--device", "cpu", "--model", model.argument()], more].concat())
}

fn rank(model: &TinyModel, documents: &[u8], more: &[&str]) -> Ran {
    let arguments = ["rank", "--device", "cpu", "--model", model.argument(), "--query", "who sat?"];
    mobilebert_reading(&[&arguments[..], &["--documents", "-"], more].concat(), documents)
}

fn names(result: &Value) -> Vec<&str> {
    let labels = result["labels"].as_array().unwrap().iter();
    let mut names: Vec<&str> = labels.map(|label| label["label"].as_str().unwrap()).collect();
    names.sort_unstable();
    names
}

fn scores(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|entry| entry["score"].as_f64().unwrap()).collect()
}

#[test]
fn labels_of_any_kind_are_scored_best_first() {
    let model = inference();
    let result = zero_shot(&model, &["the cat sat", "--labels", " cat, mat ,,who,東京 😀", "--json"]).json();
    assert_eq!(names(&result), ["cat", "mat", "who", "東京 😀"]);
    let found = scores(&result["labels"]);
    assert!(found.is_sorted_by(|left, right| left >= right), "{found:?}");
    assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{found:?}");
    let several =
        zero_shot(&model, &["the cat sat", "--labels", "cat,mat", "--multi-label", "--json"]).json();
    assert!((scores(&several["labels"]).iter().sum::<f64>() - 1.0).abs() > 1e-4, "{several}");
    let plain = zero_shot(&model, &["the cat sat", "--labels", "cat,mat", "--template", "{} sat."]).done();
    assert!(plain.contains("cat") && plain.contains("mat") && plain.contains('%'), "{plain}");
}

#[test]
fn labels_from_a_file_may_contain_commas() {
    let model = inference();
    let file = model.write("labels.txt", "cats, and mats\nwho\n".as_bytes());
    let arguments = ["zero-shot", "--device", "cpu", "--model", model.argument(), "-", "--json"];
    let ran = mobilebert_reading(
        &[&arguments[..], &["--labels-file", text(&file)]].concat(),
        b"the cat\nthe mat\n",
    );
    let lines = ran.json_lines();
    assert_eq!(lines.len(), 2, "one line per text");
    assert_eq!(names(&lines[0]), ["cats, and mats", "who"]);
}

#[test]
fn bad_labels_and_templates_are_named() {
    let model = inference();
    zero_shot(&model, &["the cat", "--labels", " , "]).failed(&["`labels`", "is empty"]);
    zero_shot(&model, &["the cat", "--labels", "a", "--template", "no place"]).failed(&["{}"]);
    let other = TinyModel::with("ForSequenceClassification", json!({"id2label": {"0": "bad", "1": "good"}}));
    zero_shot(&other, &["the cat", "--labels", "a"]).failed(&["bad, good", "entailment"]);
    assert_eq!(zero_shot(&model, &["the cat"]).code, Some(2));
}

#[test]
fn documents_are_ranked_with_logits_and_scores() {
    let model = cross_encoder(SIGMOID);
    let documents = "the cat sat\n東京\non a mat\n".as_bytes();
    let result = rank(&model, documents, &["--json"]).json();
    let ranked = result["documents"].as_array().unwrap();
    let mut indices: Vec<u64> = ranked.iter().map(|document| document["index"].as_u64().unwrap()).collect();
    for document in ranked {
        let (score, logit) = (document["score"].as_f64().unwrap(), document["logit"].as_f64().unwrap());
        assert!((score - 1.0 / (1.0 + (-logit).exp())).abs() < 1e-9, "{document}");
    }
    assert!(scores(&result["documents"]).is_sorted_by(|left, right| left >= right));
    let best = rank(&model, documents, &["--json", "--top-k", "1"]).json();
    assert_eq!(best["documents"], json!([ranked[0]]));
    indices.sort_unstable();
    assert_eq!(indices, [0, 1, 2]);
    let plain = rank(&model, documents, &[]).done();
    assert_eq!(plain.lines().count(), 3, "{plain}");
    assert!(plain.contains("東京"), "{plain}");
}

#[test]
fn ranking_without_documents_or_with_an_unknown_activation_fails() {
    rank(&cross_encoder(SIGMOID), b"", &[]).failed(&["standard input", "document"]);
    rank(&cross_encoder("torch.nn.Mish"), b"the cat\n", &[]).failed(&["torch.nn.Mish", "Sigmoid"]);
    rank(&inference(), b"the cat\n", &[]).failed(&["3 outputs"]);
}

#[test]
fn the_label_of_a_cross_encoder_has_a_logit() {
    let model = cross_encoder("torch.nn.Identity");
    let arguments = ["classify", "--device", "cpu", "--model", model.argument(), "who?", "--pair", "the cat"];
    let result = mobilebert(&[&arguments[..], &["--json"]].concat()).json();
    let label = &result["labels"][0];
    assert!(label["logit"].is_f64() && label["logit"] == label["probability"], "{result}");
    assert!(!mobilebert(&arguments).done().contains('%'));
}

#[test]
fn vectors_follow_the_pooling_of_the_directory_or_that_of_the_caller() {
    let model = TinyModel::new("Model");
    let encode = |more: &[&str]| {
        let arguments = ["encode", "--device", "cpu", "--model", model.argument(), "the cat sat"];
        mobilebert(&[&arguments[..], more].concat())
    };
    let mean = encode(&[]).json();
    std::fs::create_dir(model.file("1_Pooling")).unwrap();
    model.write(
        "1_Pooling/config.json",
        br#"{"pooling_mode_cls_token": true, "pooling_mode_max_tokens": true}"#,
    );
    let modules = |classes: &[&str]| {
        let entry = |class: &&str| json!({"path": "1_Pooling", "type": format!("sentence_transformers.models.{class}")});
        model.write(
            "modules.json",
            json!(classes.iter().map(entry).collect::<Vec<_>>()).to_string().as_bytes(),
        );
    };
    modules(&["Transformer", "Pooling"]);
    let both = encode(&[]).json();
    assert_eq!(both.as_array().unwrap().len(), 2 * mean.as_array().unwrap().len());
    assert_eq!(encode(&["--pooling", "mean"]).json(), mean);
    assert_eq!(both.as_array().unwrap()[..32], encode(&["--pooling", "cls"]).json().as_array().unwrap()[..]);
    modules(&["Transformer", "Pooling", "Dense"]);
    encode(&[]).failed(&["modules.json", "models.Dense"]);
    assert_eq!(encode(&["--pooling", "mean"]).json(), mean);
    model.write("1_Pooling/config.json", br#"{"pooling_mode": "attention"}"#);
    encode(&[]).failed(&["1_Pooling/config.json", "attention"]);
    assert_eq!(encode(&["--pooling", "attention"]).code, Some(2));
}

#[test]
fn a_quantized_copy_keeps_the_pooling() {
    let model = TinyModel::new("Model");
    let class = |path: &str, name: &str| json!({"path": path, "type": format!("sentence_transformers.models.{name}")});
    std::fs::create_dir(model.file("1_Pooling")).unwrap();
    model.write("1_Pooling/config.json", br#"{"pooling_mode": ["cls", "mean"]}"#);
    let modules =
        json!([class("", "Transformer"), class("1_Pooling", "Pooling"), class("2_Normalize", "Normalize")]);
    model.write("modules.json", modules.to_string().as_bytes());
    let copy = model.file("copy");
    mobilebert(&["quantize", "--model", model.argument(), "--dtype", "q8", "--out", text(&copy)]).done();
    let vector = mobilebert(&["encode", "--device", "cpu", "--model", text(&copy), "the cat sat"]).json();
    let squares = vector.as_array().unwrap().iter().map(|value| value.as_f64().unwrap().powi(2));
    assert_eq!(vector.as_array().unwrap().len(), 64);
    assert!((squares.sum::<f64>() - 1.0).abs() < 1e-5, "normalized");
}
