//! `run`: raw outputs for token ids.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::SafeTensors;
use serde_json::{Value, json};

use crate::models::TinyModel;
use crate::process::{Ran, mobilebert, text};
use crate::support::compare::{Tolerance, assert_close};

type Outputs = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

fn read(path: &Path) -> Outputs {
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    file.tensors()
        .into_iter()
        .map(|(name, view)| {
            let values = view
                .data()
                .chunks_exact(4)
                .map(|four| f32::from_le_bytes(four.try_into().unwrap()))
                .collect();
            (name, (view.shape().to_vec(), values))
        })
        .collect()
}

fn try_run(model: &TinyModel, input: &str, more: &[&str]) -> Ran {
    let file = model.write("input.json", input.as_bytes());
    let output = model.file("output.safetensors");
    let arguments = [
        "run",
        "--device",
        "cpu",
        "--model",
        model.argument(),
        "--input",
        text(&file),
        "--output",
        text(&output),
    ];
    mobilebert(&[&arguments[..], more].concat())
}

fn run(model: &TinyModel, input: Value, more: &[&str]) -> Outputs {
    assert_eq!(try_run(model, &input.to_string(), more).done(), "");
    read(&model.file("output.safetensors"))
}

fn shapes(outputs: &Outputs) -> Vec<(&str, &[usize])> {
    outputs.iter().map(|(name, (shape, _))| (name.as_str(), shape.as_slice())).collect()
}

#[test]
fn outputs_have_the_names_and_shapes_of_transformers() {
    let ids = json!({"input_ids": [[2, 5, 6, 3], [2, 7, 8, 3]]});
    let of = |head: &str| run(&TinyModel::new(head), ids.clone(), &[]);
    assert_eq!(shapes(&of("ForQuestionAnswering")), [("end_logits", &[2, 4][..]), ("start_logits", &[2, 4])]);
    assert_eq!(shapes(&of("ForSequenceClassification")), [("logits", &[2, 2][..])]);
    assert_eq!(shapes(&of("ForTokenClassification")), [("logits", &[2, 4, 2][..])]);
    assert_eq!(shapes(&of("Model")), [("last_hidden_state", &[2, 4, 32][..]), ("pooler_output", &[2, 32])]);
}

#[test]
fn no_tokenizer_is_needed() {
    let model = TinyModel::new("ForSequenceClassification");
    model.remove("vocab.txt");
    run(&model, json!({"input_ids": [[2, 5, 3]]}), &[]);
}

#[test]
fn hidden_states_and_attentions_are_optional_outputs() {
    let model = TinyModel::new("Model");
    let outputs = run(&model, json!({"input_ids": [[2, 5, 6, 7, 3]]}), &["--hidden-states", "--attentions"]);
    let names: Vec<&str> = outputs.keys().map(String::as_str).collect();
    let expected = [
        "attentions.0",
        "attentions.1",
        "hidden_states.0",
        "hidden_states.1",
        "hidden_states.2",
        "last_hidden_state",
        "pooler_output",
    ];
    assert_eq!(names, expected);
    assert_eq!(outputs["hidden_states.2"], outputs["last_hidden_state"]);
    let (shape, probabilities) = &outputs["attentions.1"];
    assert_eq!(shape, &[1, 2, 5, 5]);
    for row in probabilities.chunks(5) {
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{row:?}");
    }
}

#[test]
fn multiple_choice_gives_one_logit_per_choice() {
    let model = TinyModel::new("ForMultipleChoice");
    let ids = json!({"input_ids": [[[2, 5, 3], [2, 6, 3]], [[2, 7, 3], [2, 5, 3]]]});
    let outputs = run(&model, ids, &[]);
    let (shape, logits) = &outputs["logits"];
    assert_eq!(shape, &[2, 2]);
    assert_eq!(logits[0], logits[3], "the same choice in another example");
    assert_ne!(logits[0], logits[1]);
}

#[test]
fn a_sequences_outputs_do_not_depend_on_the_batch_or_on_padding() {
    let model = TinyModel::new("ForQuestionAnswering");
    let batch = run(
        &model,
        json!({
            "input_ids": [[2, 5, 6, 7, 8, 3], [2, 9, 3, 0, 0, 0]],
            "token_type_ids": [[0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 0]],
            "attention_mask": [[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0]],
        }),
        &[],
    );
    let alone =
        run(&model, json!({"input_ids": [[2, 9, 3, 0, 0, 0]], "attention_mask": [[1, 1, 1, 0, 0, 0]]}), &[]);
    assert_close(
        "the second row",
        &alone["start_logits"].1,
        &batch["start_logits"].1[6..],
        Tolerance::new(1e-6, 1e-5),
    );
    let unmasked = run(&model, json!({"input_ids": [[2, 9, 3, 0, 0, 0]]}), &[]);
    assert_ne!(unmasked["start_logits"], alone["start_logits"], "the mask is read");
}

#[test]
fn fusing_and_any_number_of_threads_give_the_outputs_of_the_reference() {
    let model = TinyModel::new("Model");
    let input = json!({"input_ids": [[2, 5, 6, 7, 3], [2, 8, 9, 10, 3]]});
    let reference = run(&model, input.clone(), &["--schedule", "operations", "--threads", "1"]);
    let fused = run(&model, input, &["--schedule", "tiled", "--threads", "3"]);
    for (name, (_, expected)) in &reference {
        assert_close(name, expected, &fused[name].1, Tolerance::new(1e-5, 1e-4));
    }
}

#[test]
fn the_error_for_an_id_outside_the_vocabulary_names_its_index_and_the_size() {
    let model = TinyModel::new("ForSequenceClassification");
    let size = crate::models::vocabulary().len();
    let input = json!({"input_ids": [[2, 5, 3], [2, size, 3]]}).to_string();
    let size = size.to_string();
    try_run(&model, &input, &[]).failed(&["input_ids", "sequence 1", "position 1", &size, "vocab_size"]);
    let input = json!({"input_ids": [[2, 3]], "token_type_ids": [[0, 2]]}).to_string();
    try_run(&model, &input, &[]).failed(&["token_type_ids", "position 1", "type_vocab_size 2"]);
}

#[test]
fn errors_name_the_field_of_an_invalid_input() {
    let model = TinyModel::new("ForSequenceClassification");
    let failed = |input: &str, words: &[&str]| drop(try_run(&model, input, &[]).failed(words));
    failed("{}", &["input_ids", "missing"]);
    failed("not json", &["input.json", "expected"]);
    failed(r#"{"input_ids": [[1, 2], [3]]}"#, &["input_ids", "ragged"]);
    failed(r#"{"input_ids": [[1.5, 2]]}"#, &["input_ids", "1.5"]);
    failed(r#"{"input_ids": [[1, -2]]}"#, &["input_ids", "-2"]);
    failed(r#"{"input_ids": [["a"]]}"#, &["input_ids", "a string"]);
    failed(r#"{"input_ids": [[]]}"#, &["input_ids", "empty"]);
    failed(r#"{"input_ids": [[1, 2]], "attention_mask": [[1]]}"#, &["attention_mask", "[1, 1]", "[1, 2]"]);
    failed(r#"{"input_ids": [[1]], "attention_mask": [[7]]}"#, &["attention_mask", "7"]);
    failed(r#"{"input_ids": [[[1]]]}"#, &["input_ids", "[batch, sequence]"]);
    failed(&json!({"input_ids": [vec![5; 65]]}).to_string(), &["65", "64"]);
}

#[test]
fn multiple_choice_needs_a_dimension_for_choices() {
    let model = TinyModel::new("ForMultipleChoice");
    try_run(&model, r#"{"input_ids": [[1, 2]]}"#, &[]).failed(&["input_ids", "[batch, choices, sequence]"]);
}

#[test]
fn an_output_file_that_cannot_be_written_is_named() {
    let model = TinyModel::new("Model");
    let file = model.write("input.json", b"{\"input_ids\": [[2, 3]]}");
    let arguments = ["run", "--device", "cpu", "--model", model.argument(), "--input", text(&file)];
    mobilebert(&[&arguments[..], &["--output", "/nowhere/out.safetensors"]].concat())
        .failed(&["/nowhere/out.safetensors"]);
}

#[test]
fn work_that_fails_leaves_an_older_output_file_as_it_was_and_no_new_one() {
    let model = TinyModel::new("Model");
    let (older, new) = (model.write("older", b"kept"), model.file("new"));
    let input = model.write("input.json", b"{\"input_ids\": [[9999]]}");
    for output in [&older, &new] {
        let run = ["run", "--device", "cpu", "--model", model.argument(), "--input", text(&input)];
        mobilebert(&[&run[..], &["--output", text(output)]].concat()).failed(&["9999"]);
        let encode = ["encode", "--device", "cpu", "--model", "/nowhere/model", "the cat"];
        mobilebert(&[&encode[..], &["--output", text(output)]].concat()).failed(&["/nowhere/model"]);
    }
    assert_eq!(std::fs::read(&older).unwrap(), b"kept");
    assert!(!new.exists());
    let encode = ["encode", "--device", "cpu", "--model", model.argument(), "the cat", "--output"];
    for output in [&older, &new] {
        mobilebert(&[&encode[..], &[text(output)]].concat()).done();
    }
    assert_eq!(std::fs::read(&older).unwrap(), std::fs::read(&new).unwrap());
}

#[test]
fn neither_inputs_nor_the_models_files_are_replaced_by_outputs() {
    let model = TinyModel::new("ForQuestionAnswering");
    let ids = model.write("ids.json", b"{\"input_ids\": [[2, 3]]}");
    let texts = model.write("texts.txt", b"the cat\n");
    let question = json!({"id": "a", "question": "who sat?", "answers": []});
    let data =
        json!({"data": [{"paragraphs": [{"context": "The cat sat.", "qas": [question]}]}]}).to_string();
    let data = model.write("data.json", data.as_bytes());
    let refused = |command: &[&str], option: &str, file: &Path| {
        let before = std::fs::read(file).ok();
        let on = ["--device", "cpu", "--model", model.argument(), option, text(file)];
        mobilebert(&[command, &on].concat()).failed(&[text(file), "is also an input"]);
        assert_eq!(std::fs::read(file).ok(), before);
    };
    refused(&["run", "--input", text(&ids)], "--output", &ids);
    refused(&["encode", "--file", text(&texts)], "--output", &texts);
    refused(&["eval", "squad", "--data", text(&data)], "--predictions", &data);
    for name in ["model.safetensors", "config.json", "vocab.txt", "tokenizer.json"] {
        refused(&["run", "--input", text(&ids)], "--output", &model.file(name));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn standard_output_is_written_directly() {
    let model = TinyModel::new("Model");
    let encode = ["encode", "--device", "cpu", "--model", model.argument(), "the cat", "--output"];
    let path = model.file("out.npy");
    mobilebert(&[&encode[..], &[text(&path)]].concat()).done();
    let expected = std::fs::read(&path).unwrap();
    let mut piped = crate::process::command(&encode);
    assert_eq!(piped.arg("/dev/stdout").output().unwrap().stdout, expected);
    let redirected = model.file("redirected");
    let mut command = crate::process::command(&encode);
    command.arg("/dev/stdout").stdout(std::fs::File::create(&redirected).unwrap());
    assert!(command.status().unwrap().success());
    assert_eq!(std::fs::read(&redirected).unwrap(), expected);
}
