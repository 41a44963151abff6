//! Compares zero-shot classification and ranking with the results of Python's libraries, stored by
//! `tests/fixtures/sentence-transformers/make.py`.

use std::ops::ControlFlow;
use std::path::Path;

use fixtures::{cpu, expected, fixture, strings};
use mobilebert::error::Code;
use mobilebert::model::{TextClassification, TextRanking, ZeroShotClassification, ZeroShotOptions};
use pollster::block_on;
use serde_json::Value;
use tempfile::TempDir;

#[path = "support/fixtures.rs"]
mod fixtures;

fn zero_shot() -> ZeroShotClassification {
    let path = fixture("transformers-js/zero-shot-classification");
    block_on(ZeroShotClassification::open(path, &cpu())).unwrap()
}

#[test]
fn labels_have_the_scores_of_the_zero_shot_pipeline() {
    let expected = expected();
    let mut model = zero_shot();
    let cases = expected["zero_shot"].as_array().unwrap();
    assert!(cases.len() > 20);
    for case in cases {
        let options = ZeroShotOptions {
            hypothesis_template: case["hypothesis_template"].as_str().unwrap(),
            multi_label: case["multi_label"].as_bool().unwrap(),
        };
        let text = case["text"].as_str().unwrap();
        let found = block_on(model.classify(text, &strings(&case["labels"]), &options)).unwrap();
        let result = case["result"].as_array().unwrap();
        assert_eq!(found.labels.len(), result.len());
        for (label, expected) in found.labels.iter().zip(result) {
            let difference = (label.score - expected[1].as_f64().unwrap()).abs();
            assert!(label.label == expected[0].as_str().unwrap() && difference < 1e-4, "{case}: {found:?}");
        }
        assert_eq!(found.truncated, text.len() > 400, "{text}");
    }
}

#[test]
fn ten_thousand_labels_are_scored_in_many_runs_that_can_be_stopped() {
    let mut model = zero_shot();
    let labels: Vec<String> = (0..10_000).map(|index| format!("week {index}")).collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    let mut reported = Vec::new();
    let stop = async |done: usize| {
        reported.push(done);
        if reported.len() == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let stopped = block_on(model.classify_with("the goats", &labels, &Default::default(), stop));
    assert_eq!(stopped.unwrap_err().code(), Code::Aborted);
    assert!(reported.is_sorted() && *reported.last().unwrap() < 100, "{reported:?}");
    let all = block_on(model.classify("the goats", &labels, &Default::default())).unwrap().labels;
    assert_eq!(all.len(), labels.len());
    assert!((all.iter().map(|label| label.score).sum::<f64>() - 1.0).abs() < 1e-9);
}

#[test]
fn bad_arguments_of_a_zero_shot_classification_are_named() {
    let mut model = zero_shot();
    let mut failed = |labels: &[&str], template: &str| {
        let options = ZeroShotOptions { hypothesis_template: template, multi_label: false };
        let error = block_on(model.classify("the goats", labels, &options)).unwrap_err();
        assert_eq!(error.code(), Code::InvalidInput);
        error.to_string()
    };
    assert!(failed(&[], "{}").contains("`labels`"));
    assert!(failed(&["week"], "week").contains("`hypothesis_template`"));
    let long = "week ".repeat(100);
    let message = failed(&["week", &long], "{}");
    assert!(message.contains("label 1") && message.contains("64 tokens"), "{message}");
    block_on(model.classify("", &[""], &Default::default())).unwrap();
}

#[test]
fn a_model_without_an_entailment_label_is_unsupported_and_its_labels_are_listed() {
    let path = fixture("transformers-js/text-classification");
    let mut model = block_on(ZeroShotClassification::open(path, &cpu())).unwrap();
    let error = block_on(model.classify("the goats", &["week"], &Default::default())).unwrap_err();
    assert_eq!(error.code(), Code::Unsupported);
    assert!(error.to_string().contains("negative, neutral, positive"), "{error}");
}

const CROSS_ENCODER: &str = "sentence-transformers/cross-encoder";

fn changed(change: impl FnOnce(&mut Value)) -> TempDir {
    fixtures::changed(CROSS_ENCODER, "config.json", change)
}

#[test]
fn documents_have_the_order_and_the_scores_of_a_cross_encoder() {
    let expected = expected();
    let documents = strings(&expected["texts"]);
    let query = expected["query"].as_str().unwrap();
    for case in expected["ranking"].as_array().unwrap() {
        let copy = changed(|config| {
            config["sentence_transformers"]["activation_fn"] = case["activation_fn"].clone();
        });
        let mut model = block_on(TextRanking::open(copy.path(), &cpu())).unwrap();
        let found = block_on(model.rank(query, &documents, None)).unwrap();
        let ranking = case["ranking"].as_array().unwrap();
        assert_eq!(found.documents.len(), ranking.len());
        for (document, expected) in found.documents.iter().zip(ranking) {
            let difference = (document.score - expected["score"].as_f64().unwrap()).abs();
            assert!(expected["corpus_id"] == document.index && difference < 1e-4, "{case}: {found:?}");
        }
        assert!(found.truncated, "the last text is too long");
        let best = block_on(model.rank(query, &documents, Some(2))).unwrap();
        assert_eq!(best.documents, found.documents[..2]);
    }
}

#[test]
fn the_probability_of_a_single_label_is_the_models_score() {
    let of = |change: &dyn Fn(&mut Value)| {
        let copy = changed(|config| {
            config.as_object_mut().unwrap().remove("sentence_transformers");
            change(config);
        });
        let mut model = block_on(TextClassification::open(copy.path(), &cpu())).unwrap();
        let result = block_on(model.classify(&["the goats opened".into()])).unwrap().remove(0);
        let [label] = &result.labels[..] else { panic!("{result:?}") };
        (label.probability, label.logit.unwrap())
    };
    let sigmoid = |logit: f64| 1.0 / (1.0 + (-logit).exp());
    let old = "sbert_ce_default_activation_function";
    let (probability, logit) = of(&|_| {});
    assert!(logit.abs() > 0.01 && probability == sigmoid(logit), "{probability} {logit}");
    assert_eq!(of(&|config| config[old] = "torch.nn.modules.linear.Identity".into()), (logit, logit));
    assert_eq!(of(&|config| config["problem_type"] = "regression".into()), (logit, logit));
    assert_eq!(of(&|config| config["problem_type"] = "single_label_classification".into()).0, sigmoid(logit));
}

#[test]
fn a_model_that_cannot_rank_says_why() {
    let failed = |path: &Path, documents: &[&str]| {
        let mut model = block_on(TextRanking::open(path, &cpu())).unwrap();
        let error = block_on(model.rank("who?", documents, None)).unwrap_err();
        (error.code(), error.to_string())
    };
    let (code, message) = failed(&fixture(CROSS_ENCODER), &[]);
    assert!(code == Code::InvalidInput && message.contains("`documents`"), "{message}");
    let unknown = changed(|config| {
        config["sentence_transformers"]["activation_fn"] = "torch.nn.modules.activation.Mish".into();
    });
    let (code, message) = failed(unknown.path(), &["a"]);
    assert!(code == Code::Unsupported && message.contains("activation.Mish"), "{message}");
    let (code, message) = failed(&fixture("transformers-js/text-classification"), &["a"]);
    assert!(code == Code::Unsupported && message.contains("3 outputs"), "{message}");
}
