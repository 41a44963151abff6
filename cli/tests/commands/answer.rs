//! `answer`.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::models::TinyModel;
use crate::process::{command, mobilebert, mobilebert_reading, text};

const PASSAGE: &str = "The cat sat on a mat. 😀 the cat was in a hat, is it? Who sat on the mat.";

fn arguments<'a>(model: &'a TinyModel, context: &'a str) -> Vec<&'a str> {
    asking(model, ["--question", "who sat on the mat?"], context)
}

fn arguments_for_file<'a>(model: &'a TinyModel, questions: &'a str, context: &'a str) -> Vec<&'a str> {
    asking(model, ["--questions", questions], context)
}

fn asking<'a>(model: &'a TinyModel, question: [&'a str; 2], context: &'a str) -> Vec<&'a str> {
    let model = ["answer", "--device", "cpu", "--model", model.argument()];
    [&model[..], &question, &["--context", context]].concat()
}

#[test]
fn the_answer_is_marked_in_its_sentence_with_its_probability() {
    let model = TinyModel::new("ForQuestionAnswering");
    let context = model.write("passage.txt", PASSAGE.as_bytes());
    let stdout = mobilebert(&arguments(&model, text(&context))).done();
    let line = stdout.lines().last().unwrap();
    let marked = line.split("[[").nth(1).and_then(|rest| rest.split("]]").next()).unwrap();
    assert!(!marked.is_empty() && PASSAGE.contains(marked), "{line}");
    assert!(line.contains(" %  "), "{line}");
    assert!(!stdout.contains('\u{1b}'), "colors in a pipe");
}

#[test]
fn json_offsets_delimit_the_answer_in_bytes_and_in_utf16() {
    let model = TinyModel::new("ForQuestionAnswering");
    let context = model.write("passage.txt", PASSAGE.as_bytes());
    let mut arguments = arguments(&model, text(&context));
    arguments.extend(["--json", "--top-k", "7", "--all-spans"]);
    let reply = mobilebert(&arguments).json();
    let units: Vec<u16> = PASSAGE.encode_utf16().collect();
    let answers = reply["answers"].as_array().unwrap();
    assert_eq!(answers.len(), 7);
    let number = |value: &Value| value.as_u64().unwrap() as usize;
    for answer in answers {
        let found = answer["text"].as_str().unwrap();
        assert_eq!(&PASSAGE[number(&answer["start_byte"])..number(&answer["end_byte"])], found);
        let cut = &units[number(&answer["start_utf16"])..number(&answer["end_utf16"])];
        assert_eq!(String::from_utf16(cut).unwrap(), found);
        let probability = answer["probability"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&probability) && answer["score"].is_f64());
    }
    let probability = |answer: &Value| answer["probability"].as_f64().unwrap();
    let probabilities: Vec<f64> = answers.iter().map(probability).collect();
    assert!(probabilities.is_sorted_by(|left, right| left >= right), "{probabilities:?}");
    assert!(reply["no_answer"]["probability"].is_f64() && reply["no_answer"]["score"].is_f64());
    assert_eq!(reply["windows"], 1);
    assert!(reply["timing"].is_object());
}

#[test]
fn json_lists_distinct_answers_with_the_spans_that_they_consist_of() {
    let model = TinyModel::new("ForQuestionAnswering");
    let context = model.write("passage.txt", PASSAGE.as_bytes());
    let ask = |more: &[&str]| mobilebert(&[&arguments(&model, text(&context))[..], more].concat()).json();
    let reply = ask(&["--json", "--top-k", "5"]);
    let answers = reply["answers"].as_array().unwrap();
    let range = |span: &Value| (span["start_byte"].as_u64().unwrap(), span["end_byte"].as_u64().unwrap());
    let probability = |span: &Value| span["probability"].as_f64().unwrap();
    for (place, answer) in answers.iter().enumerate() {
        let variants = answer["variants"].as_array().unwrap();
        assert_eq!(range(&variants[0]), range(answer));
        let sum: f64 = variants.iter().map(probability).sum();
        assert!((sum - probability(answer)).abs() < 1e-9, "{answer}");
        for other in &answers[..place] {
            let ((start, end), (other_start, other_end)) = (range(answer), range(other));
            assert!(end <= other_start || other_end <= start, "{answer} {other}");
        }
    }
    let score = |answer: &Value| answer["score"].as_f64().unwrap();
    assert!(answers.is_sorted_by(|left, right| score(left) >= score(right)), "{answers:?}");
    let sum: f64 = answers.iter().map(probability).sum();
    assert!(sum + probability(&reply["no_answer"]) <= 1.0 + 1e-9);
    let spans = ask(&["--json", "--top-k", "5", "--all-spans"]);
    assert!(probability(&spans["answers"][0]) < probability(&answers[0]), "no span was merged");
    let parts = ask(&["--json", "--top-k", "500", "--all-spans", "--part-words"]);
    assert!(
        parts["answers"].as_array().unwrap().len()
            >= ask(&["--json", "--top-k", "500", "--all-spans"])["answers"].as_array().unwrap().len()
    );
}

#[test]
fn a_passage_of_several_windows_is_read_to_its_end() {
    let model = TinyModel::new("ForQuestionAnswering");
    let context = model.write("passage.txt", PASSAGE.repeat(10).as_bytes());
    let mut arguments = arguments(&model, text(&context));
    arguments.extend(["--json", "--max-length", "32", "--doc-stride", "8"]);
    assert!(mobilebert(&arguments).json()["windows"].as_u64().unwrap() > 20);
}

#[test]
fn windows_are_limited_to_what_the_model_takes() {
    let model = TinyModel::new("ForQuestionAnswering");
    let context = model.write("passage.txt", PASSAGE.repeat(10).as_bytes());
    let reply = mobilebert(&[&arguments(&model, text(&context))[..], &["--json"]].concat()).json();
    assert!(reply["windows"].as_u64().unwrap() > 1, "384 tokens fit into 64");
}

#[test]
fn standard_input_is_a_passage_like_a_file() {
    let model = TinyModel::new("ForQuestionAnswering");
    let context = model.write("passage.txt", PASSAGE.as_bytes());
    let from_file = mobilebert(&[&arguments(&model, text(&context))[..], &["--json"]].concat()).json();
    let from_pipe =
        mobilebert_reading(&[&arguments(&model, "-")[..], &["--json"]].concat(), PASSAGE.as_bytes()).json();
    assert_eq!(from_file["answers"], from_pipe["answers"]);
}

#[test]
fn many_questions_give_the_same_replies_as_single_questions() {
    let model = TinyModel::new("ForQuestionAnswering");
    let context = model.write("passage.txt", PASSAGE.as_bytes());
    let questions = model.write("questions.txt", b"who sat on the mat?\nwho is in a hat?\n");
    let lines = mobilebert(&arguments_for_file(&model, text(&questions), text(&context))).json_lines();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["question"], "who is in a hat?");
    let single = mobilebert(&[&arguments(&model, text(&context))[..], &["--json"]].concat()).json();
    assert_eq!(lines[0]["answers"], single["answers"]);
}

#[test]
fn a_reader_that_closes_the_pipe_early_causes_no_error() {
    let model = TinyModel::new("ForQuestionAnswering");
    let context = model.write("passage.txt", PASSAGE.as_bytes());
    let questions = model.write("questions.txt", "who sat on the mat?\n".repeat(200).as_bytes());
    let mut child = command(&arguments_for_file(&model, text(&questions), text(&context)))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(serde_json::from_str::<Value>(&first).is_ok(), "{first}");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn control_characters_in_a_passage_do_not_reach_the_terminal() {
    let model = TinyModel::new("ForQuestionAnswering");
    let context = model.write("passage.txt", b"\x1b[31mthe cat\x1b]0;title\x07 sat\r\non a mat");
    let stdout = mobilebert(&arguments(&model, text(&context))).done();
    assert!(!stdout.contains(['\u{1b}', '\u{7}', '\r']), "{stdout:?}");
}
