//! Compares embeddings with those of sentence-transformers, stored by
//! `tests/fixtures/sentence-transformers/make.py`.

use std::fs;

use fixtures::{changed, cpu, expected, fixture, strings};
use mobilebert::error::{Code, Error};
use mobilebert::model::{Directory, EncodeOptions, Encoder, PoolTokens, TextRanking};
use mobilebert::task::pooling::Pooling;
use mobilebert::task::similarity::cosine;
use pollster::block_on;
use serde_json::{Value, json};
use tempfile::TempDir;

#[path = "support/fixtures.rs"]
mod fixtures;

const ENCODER: &str = "sentence-transformers/sentence-encoder";

/// The directory with other pooling modes, written as before version 6 or as since then, and with or without
/// a `2_Normalize`.
fn with(modes: &Value, new: bool, normalize: bool) -> TempDir {
    let copy = changed(ENCODER, "1_Pooling/config.json", |config| {
        if new {
            *config = json!({ "embedding_dimension": 16, "pooling_mode": modes });
            return;
        }
        for (field, value) in config.as_object_mut().unwrap() {
            let is_named = |mode: &&str| {
                let name = field.trim_start_matches("pooling_mode_");
                name == *mode || name.trim_end_matches("s").trim_end_matches("_token") == *mode
            };
            if value.is_boolean() {
                *value = strings(modes).iter().any(is_named).into();
            }
        }
    });
    if !normalize {
        let path = copy.path().join("modules.json");
        let mut modules: Vec<Value> = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        modules.pop();
        fs::write(path, json!(modules).to_string()).unwrap();
    }
    copy
}

fn open(directory: &TempDir) -> Encoder {
    block_on(Encoder::open(directory.path(), &cpu())).unwrap()
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

#[test]
fn embeddings_follow_the_directory_as_in_sentence_transformers() {
    let expected = expected();
    let texts = strings(&expected["texts"]);
    let cases = expected["embeddings"].as_array().unwrap();
    assert_eq!(cases.len(), 14);
    for (case, new) in cases.iter().flat_map(|case| [(case, false), (case, true)]) {
        let mut model = open(&with(&case["modes"], new, case["normalize"] == true));
        let embeddings = block_on(model.encode(&texts, EncodeOptions::default())).unwrap();
        for (row, embedding) in embeddings.iter().enumerate() {
            let vector = numbers(&case["vectors"][row]);
            assert_eq!(embedding.vector.len(), vector.len());
            let close = |(value, expected): (&f32, &f64)| (f64::from(*value) - expected).abs() < 1e-4;
            assert!(embedding.vector.iter().zip(&vector).all(close), "{} {row}", case["modes"]);
            // The directory reads at most 16 tokens of a text.
            assert_eq!(embedding.truncated, row == 3);
            for (column, expected) in numbers(&case["similarity"][row]).into_iter().enumerate() {
                let found = cosine(&embedding.vector, &embeddings[column].vector).unwrap();
                assert!((found - expected).abs() < 1e-4, "{} {row} {column}", case["modes"]);
            }
        }
    }
}

#[test]
fn options_take_precedence_over_the_directory() {
    let mut model = block_on(Encoder::open(fixture(ENCODER), &cpu())).unwrap();
    let text = "light week ".repeat(20);
    let mut encode = |options| block_on(model.encode(&[&text], options)).unwrap().remove(0).vector;
    let length = |vector: &[f32]| vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    let directory = encode(EncodeOptions::default());
    assert!((length(&directory) - 1.0).abs() < 1e-6);
    let raw = encode(EncodeOptions { normalize: Some(false), ..Default::default() });
    assert!((length(&raw) - 1.0).abs() > 0.01);
    let max = encode(EncodeOptions { pooling: PoolTokens::By(Pooling::Max), ..Default::default() });
    assert!(max != directory && (length(&max) - 1.0).abs() < 1e-6);
    let tokens = |max_length| EncodeOptions { pooling: PoolTokens::Keep, max_length, ..Default::default() };
    assert_eq!(encode(tokens(None)).len(), 16 * 16);
    assert_eq!(encode(tokens(Some(20))).len(), 20 * 16);
    assert_eq!(encode(tokens(Some(1000))).len(), 42 * 16);
}

#[test]
fn a_search_finds_the_most_similar_text_among_kept_vectors() {
    let mut model = block_on(Encoder::open(fixture(ENCODER), &cpu())).unwrap();
    let texts = ["light week", "the goats opened anything", "church"];
    let corpus = block_on(model.encode(&texts, EncodeOptions::default())).unwrap();
    let hits = block_on(model.search("The goats opened anything", &corpus, 2)).unwrap();
    assert_eq!((hits.len(), hits[0].index), (2, 1));
    assert!((hits[0].score - 1.0).abs() < 1e-6 && hits[1].score < 1.0, "{hits:?}");
    let similarity = block_on(model.similarity("light week", "church")).unwrap();
    assert!((similarity - cosine(&corpus[0].vector, &corpus[2].vector).unwrap()).abs() < 1e-6);
    let error = block_on(model.search("week", &[vec![1.0; 16], vec![1.0; 15]], 2)).unwrap_err();
    assert_eq!(error.code(), Code::InvalidInput);
    assert!(error.to_string().contains("vector 1 has 15 dimensions"), "{error}");
}

#[test]
fn lower_case_is_that_of_the_directory() {
    let cased = changed(ENCODER, "sentence_bert_config.json", |config| config["do_lower_case"] = true.into());
    fs::write(cased.path().join("tokenizer_config.json"), r#"{"do_lower_case": false}"#).unwrap();
    let tokenizer = fs::read_to_string(cased.path().join("tokenizer.json")).unwrap();
    let tokenizer = tokenizer.replace(r#""lowercase": true"#, r#""lowercase": false"#);
    fs::write(cased.path().join("tokenizer.json"), tokenizer).unwrap();
    let mut model = open(&cased);
    assert!((block_on(model.similarity("Light WEEK", "light week")).unwrap() - 1.0).abs() < 1e-6);
}

#[test]
fn an_unsupported_module_is_named_unless_the_caller_chooses_the_pooling() {
    let dense = changed(ENCODER, "modules.json", |modules| {
        let module = json!({"idx": 2, "path": "2_Dense", "type": "sentence_transformers.models.Dense"});
        modules.as_array_mut().unwrap().insert(2, module);
    });
    let mut model = open(&dense);
    let error: Error = block_on(model.encode(&["a"], EncodeOptions::default())).unwrap_err();
    assert_eq!(error.code(), Code::Unsupported);
    assert!(error.to_string().contains("models.Dense"), "{error}");
    let mean = EncodeOptions { pooling: PoolTokens::By(Pooling::Mean), ..Default::default() };
    block_on(model.encode(&["a"], mean)).unwrap();
    let unknown = with(&json!(["attention"]), true, true);
    let error = block_on(open(&unknown).encode(&["a"], EncodeOptions::default())).unwrap_err();
    assert!(error.to_string().contains("attention"), "{error}");
    fs::remove_file(unknown.path().join("1_Pooling/config.json")).unwrap();
    let error = block_on(Encoder::open(unknown.path(), &cpu())).err().unwrap();
    assert!(error.code() == Code::NotFound && error.to_string().contains("1_Pooling/config.json"), "{error}");
}

#[test]
fn the_activation_of_version_6_of_sentence_transformers_is_read() {
    let model = changed("sentence-transformers/cross-encoder", "config.json", |config| {
        config.as_object_mut().unwrap().remove("sentence_transformers");
    });
    let name = json!({"activation_fn": "torch.nn.modules.linear.Identity", "model_type": "CrossEncoder"});
    fs::write(model.path().join("config_sentence_transformers.json"), name.to_string()).unwrap();
    let mut model = block_on(TextRanking::open(model.path(), &cpu())).unwrap();
    let best = block_on(model.rank("who?", &["light"], None)).unwrap().documents[0];
    assert_eq!(best.score, best.logit);
}

#[test]
fn a_copy_of_the_small_files_has_the_pooling() {
    let small = Directory::new(fixture(ENCODER)).unwrap().small_files().unwrap();
    assert!(small.get("1_Pooling/config.json").unwrap().contains("pooling_mode_cls_token"));
}
