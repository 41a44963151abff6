//! Model directories as published, with the configuration and tokenizer files of their time.

use serde_json::{Value, json};

use crate::models::{TinyModel, configuration, vocabulary};
use crate::process::{Ran, mobilebert, text};

fn run(model: &TinyModel, arguments: &[&str]) -> Ran {
    mobilebert(&[&[arguments[0], "--device", "cpu", "--model", model.argument()], &arguments[1..]].concat())
}

/// The tiny model with this head and other `architectures` in its `config.json`.
fn renamed(head: &str, architectures: Value) -> TinyModel {
    let model = TinyModel::new(head);
    let config = configuration(head, json!({ "architectures": architectures }));
    model.write("config.json", config.to_string().as_bytes());
    model
}

#[test]
fn the_task_and_the_tensors_decide_if_architectures_does_not() {
    let others = [Value::Null, json!([]), json!(["MobileBertModel"]), json!(["MyMobileBert"])];
    let tasks: [(&str, &[&str]); 3] = [
        ("ForSequenceClassification", &["classify", "the cat", "--json"]),
        ("ForTokenClassification", &["label", "the cat", "--json"]),
        ("ForMaskedLM", &["fill-mask", "the [MASK] sat", "--json"]),
    ];
    for (head, arguments) in tasks {
        let untimed = |model: &TinyModel| {
            let mut result = run(model, arguments).json();
            result.as_object_mut().unwrap().remove("timing");
            result
        };
        let expected = untimed(&TinyModel::new(head));
        for architectures in &others {
            assert_eq!(untimed(&renamed(head, architectures.clone())), expected, "{head} as {architectures}");
        }
    }
    let asking = renamed("ForQuestionAnswering", Value::Null);
    let context = asking.write("context.txt", b"the cat sat on a mat");
    let context = text(&context);
    run(&asking, &["answer", "--question", "who sat?", "--context", context]).done();
}

#[test]
fn a_head_that_the_checkpoint_lacks_or_names_otherwise_is_an_error() {
    let base = renamed("Model", Value::Null);
    run(&base, &["classify", "the cat"]).failed(&["text classification", "MobileBertModel"]);
    let labels = TinyModel::new("ForTokenClassification");
    run(&labels, &["classify", "the cat"])
        .failed(&["text classification", "MobileBertForTokenClassification"]);
    let unknown = renamed("ForSequenceClassification", json!(["MyMobileBert"]));
    mobilebert(&["inspect", unknown.argument()]).failed(&["MyMobileBert"]);
}

#[test]
fn added_tokens_are_one_token_each() {
    let count = vocabulary().len();
    let model = TinyModel::with("ForSequenceClassification", json!({ "vocab_size": count + 1 }));
    let arguments = ["tokens", "the [E1] cat", "--json"];
    assert!(run(&model, &arguments).json()["input_ids"].as_array().unwrap().len() > 5);
    model.write("added_tokens.json", json!({ "[E1]": count }).to_string().as_bytes());
    let the = vocabulary().iter().position(|token| token == "the").unwrap();
    assert_eq!(run(&model, &arguments).json()["input_ids"], json!([2, the, count, the + 1, 3]));
    run(&model, &["classify", "the [E1] cat"]).done();
    model.write("added_tokens.json", json!({ "[E1]": count, "[E2]": count + 1 }).to_string().as_bytes());
    run(&model, &["classify", "the [E1] cat"]).done();
    run(&model, &["classify", "the [E2] cat"]).failed(&["[E2]", "added_tokens.json", "vocab_size"]);
}

#[test]
fn special_tokens_in_a_text_are_separators_unless_they_are_split() {
    let model = TinyModel::new("ForSequenceClassification");
    let ids = |more: &[&str]| {
        let arguments = [&["tokens", "the[SEP]cat", "--json"], more].concat();
        run(&model, &arguments).json()["input_ids"].as_array().unwrap().len()
    };
    assert_eq!((ids(&[]), ids(&["--split-special-tokens=false"])), (5, 5));
    assert!(ids(&["--split-special-tokens"]) > 6);
    let config = json!({ "split_special_tokens": true }).to_string();
    model.write("tokenizer_config.json", config.as_bytes());
    assert!(ids(&[]) > 6);
    assert_eq!(ids(&["--split-special-tokens=false"]), 5);
    let logits = |more: &[&str]| {
        run(&model, &[&["classify", "the[SEP]cat", "--json"], more].concat()).json()["labels"].clone()
    };
    assert_eq!(logits(&[]), logits(&["--split-special-tokens"]));
    assert_ne!(logits(&[]), logits(&["--split-special-tokens=false"]));
}

#[test]
fn the_smaller_of_two_limits_truncates() {
    let model = TinyModel::new("ForSequenceClassification");
    let truncated =
        || run(&model, &["classify", "the cat sat on a mat", "--json"]).json()["truncated"].clone();
    for (limit, expected) in
        [("1e30", false), ("1000000000000000019884624838656", false), ("8", false), ("7", true)]
    {
        let config = format!("{{\"model_max_length\": {limit}}}");
        model.write("tokenizer_config.json", config.as_bytes());
        assert_eq!(truncated(), expected, "{limit}");
    }
    for limit in ["0", "-1", "\"512\"", "true"] {
        model.write("tokenizer_config.json", format!("{{\"model_max_length\": {limit}}}").as_bytes());
        run(&model, &["classify", "the cat"]).failed(&["tokenizer_config.json", "model_max_length"]);
    }
}
