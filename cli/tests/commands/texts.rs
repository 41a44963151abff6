//! `classify`, `label`, `fill-mask`, `encode`.

use serde_json::{Value, json};

use crate::models::TinyModel;
use crate::process::{mobilebert, mobilebert_reading, text};

fn arguments<'a>(command: &'a str, model: &'a TinyModel) -> Vec<&'a str> {
    vec![command, "--device", "cpu", "--model", model.argument()]
}

fn classifier() -> TinyModel {
    TinyModel::with("ForSequenceClassification", json!({"id2label": {"0": "bad", "1": "good", "2": "ugly"}}))
}

#[test]
fn labels_are_printed_with_probabilities_largest_first() {
    let model = classifier();
    let result =
        mobilebert(&[&arguments("classify", &model)[..], &["the cat sat", "--json"]].concat()).json();
    let labels = result["labels"].as_array().unwrap();
    let mut names: Vec<&str> = labels.iter().map(|label| label["label"].as_str().unwrap()).collect();
    let probabilities: Vec<f64> = labels.iter().map(|label| label["probability"].as_f64().unwrap()).collect();
    assert!(probabilities.is_sorted_by(|left, right| left >= right));
    assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-5);
    names.sort_unstable();
    assert_eq!(names, ["bad", "good", "ugly"]);
    assert_eq!(result["truncated"], false);
    let plain = mobilebert(&[&arguments("classify", &model)[..], &["the cat sat"]].concat()).done();
    assert!(
        ["bad", "good", "ugly"].iter().all(|name| plain.contains(name)) && plain.contains('%'),
        "{plain}"
    );
}

#[test]
fn one_text_per_line_gives_one_result_per_line() {
    let model = classifier();
    let all = mobilebert_reading(
        &[&arguments("classify", &model)[..], &["-", "--json"]].concat(),
        b"the cat\nwho is in the hat?\n",
    )
    .json_lines();
    assert_eq!(all.len(), 2);
    let single =
        mobilebert(&[&arguments("classify", &model)[..], &["who is in the hat?", "--json"]].concat()).json();
    assert_eq!(all[1]["labels"][0]["label"], single["labels"][0]["label"]);
    let file = model.write("texts.txt", b"the cat\nwho is in the hat?\n");
    let from_file =
        mobilebert(&[&arguments("classify", &model)[..], &["--file", text(&file), "--json"]].concat())
            .json_lines();
    assert_eq!(from_file, all);
}

#[test]
fn the_second_text_of_a_pair_changes_the_result() {
    let model = classifier();
    let of = |more: &[&str]| {
        mobilebert(&[&arguments("classify", &model)[..], &["the cat", "--json"], more].concat()).json()
    };
    assert_ne!(of(&[])["labels"], of(&["--pair", "sat"])["labels"]);
}

#[test]
fn truncation_is_reported() {
    let model = classifier();
    let long = "the cat sat ".repeat(40);
    let result = mobilebert(&[&arguments("classify", &model)[..], &[&long, "--json"]].concat()).json();
    assert_eq!(result["truncated"], true);
}

#[test]
fn truncated_texts_and_documents_are_named() {
    let long = "the cat sat ".repeat(40);
    let lines = format!("the cat\n{long}\nthe mat\n{long}\n");
    let notes = |model: &TinyModel, command: &str, more: &[&str]| {
        let ran = mobilebert_reading(&[&arguments(command, model)[..], more].concat(), lines.as_bytes());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.stderr
    };
    let said = "text 2 was too long and was truncated\ntext 4 was too long and was truncated\n";
    assert_eq!(notes(&classifier(), "classify", &[]), said);
    let encoder = TinyModel::with("ForSequenceClassification", json!({"id2label": {"0": "LABEL_0"}}));
    let said = notes(&encoder, "rank", &["--query", "who?", "--documents", "-"]);
    assert_eq!(said, "with the query, 2 of 4 documents were too long and were truncated: line 2, 4\n");
    let one = mobilebert(&[&arguments("classify", &classifier())[..], &[&long]].concat());
    assert_eq!(one.stderr, "the text was too long and was truncated\n");
}

#[test]
fn an_empty_text_is_rejected() {
    let model = classifier();
    mobilebert(&[&arguments("classify", &model)[..], &[""]].concat()).failed(&["text"]);
    mobilebert_reading(&arguments("classify", &model), b"").failed(&["standard input"]);
}

#[test]
fn every_token_has_a_label() {
    let model = TinyModel::with(
        "ForTokenClassification",
        json!({"id2label": {"0": "O", "1": "B-PER", "2": "I-PER"}}),
    );
    let passage = "the cat sat 😀 on a mat";
    let result = mobilebert(&[&arguments("label", &model)[..], &[passage, "--json"]].concat()).json();
    let tokens = result["tokens"].as_array().unwrap();
    assert!(!tokens.is_empty());
    for token in tokens {
        let number = |field: &str| token[field].as_u64().unwrap() as usize;
        assert_eq!(&passage[number("start_byte")..number("end_byte")], token["text"].as_str().unwrap());
        assert!(token["label"].is_string() && token["probability"].is_f64());
    }
    mobilebert(&[&arguments("label", &model)[..], &[passage]].concat()).done();
}

#[test]
fn a_redacted_text_has_labels_in_place_of_entities() {
    let labels = json!({"id2label": {"0": "PER", "1": "LOC"}});
    let model = TinyModel::with("ForTokenClassification", labels);
    let passage = "the cat sat\n\n😀 on a mat. ".repeat(30);
    let file = model.write("letter.txt", passage.as_bytes());
    let ask = |more: &[&str]| {
        mobilebert(&[&arguments("label", &model)[..], &["--file", text(&file), "--redact"], more].concat())
    };
    let result = ask(&["--json", "--aggregation", "first"]).json();
    assert!(result["windows"].as_u64().unwrap() > 1, "{result}");
    let (mut expected, mut read) = (String::new(), 0);
    for entity in result["entities"].as_array().unwrap() {
        let number = |field: &str| entity[field].as_u64().unwrap() as usize;
        assert_eq!(&passage[number("start_byte")..number("end_byte")], entity["text"].as_str().unwrap());
        expected +=
            &format!("{}[{}]", &passage[read..number("start_byte")], entity["label"].as_str().unwrap());
        read = number("end_byte");
    }
    expected += &passage[read..];
    assert!(read > 0);
    assert_eq!(result["redacted"], expected.as_str());
    assert_eq!(ask(&["--aggregation", "first"]).done(), format!("{expected}\n"));
    assert_eq!(ask(&["--ignore-labels", "PER, LOC"]).done(), format!("{passage}\n"));
}

#[test]
fn targets_limit_what_fills_a_mask() {
    let model = TinyModel::new("ForMaskedLM");
    let ask = |targets: &str| {
        let arguments =
            [&arguments("fill-mask", &model)[..], &["the [MASK] sat", "--json", "--targets", targets]];
        mobilebert(&arguments.concat())
    };
    let result = ask("cat, sat,mat").json();
    let candidates = result["masks"][0]["candidates"].as_array().unwrap();
    let mut tokens: Vec<&str> = candidates.iter().map(|fill| fill["token_str"].as_str().unwrap()).collect();
    assert!(candidates.is_sorted_by(|a, b| a["probability"].as_f64() >= b["probability"].as_f64()));
    tokens.sort_unstable();
    assert_eq!(tokens, ["cat", "mat", "sat"]);
    assert_eq!(ask("cat, ,sat,mat,").json(), result, "empty parts aren't words");
    ask("cat,☃").failed(&["targets", "☃"]);
    ask(",").failed(&["targets", "at least one"]);
}

#[test]
fn masked_words_are_filled() {
    let model = TinyModel::new("ForMaskedLM");
    let sentence = "the [MASK] sat on a [MASK]";
    let result =
        mobilebert(&[&arguments("fill-mask", &model)[..], &[sentence, "--top-k", "3", "--json"]].concat())
            .json();
    let masks = result["masks"].as_array().unwrap();
    assert_eq!(masks.len(), 2);
    assert!(masks.iter().all(|mask| mask["candidates"].as_array().unwrap().len() == 3), "{result}");
    mobilebert(&[&arguments("fill-mask", &model)[..], &["no mask"]].concat()).failed(&["[MASK]"]);
}

#[test]
fn embeddings_are_written_as_json_or_npy() {
    let model = TinyModel::new("Model");
    let lines = mobilebert_reading(&arguments("encode", &model), b"the cat\non a mat\n").json_lines();
    assert_eq!(lines.len(), 2);
    let first: Vec<f32> = serde_json::from_value(lines[0].clone()).unwrap();
    assert_eq!(first.len(), 32);
    let path = model.file("out.npy");
    mobilebert_reading(
        &[&arguments("encode", &model)[..], &["--output", text(&path)]].concat(),
        b"the cat\non a mat\n",
    )
    .done();
    let bytes = std::fs::read(path).unwrap();
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let header = String::from_utf8_lossy(&bytes[10..128]).into_owned();
    assert!(header.contains("(2, 32)"), "{header}");
    let values: Vec<f32> = bytes[bytes.len() - 256..]
        .chunks_exact(4)
        .map(|four| f32::from_le_bytes(four.try_into().unwrap()))
        .collect();
    let all: Vec<f32> =
        lines.into_iter().flat_map(|line: Value| serde_json::from_value::<Vec<f32>>(line).unwrap()).collect();
    assert_eq!(values, all);
}

#[test]
fn control_characters_in_labels_do_not_reach_the_terminal() {
    let labels = json!({"id2label": {"0": "B-\u{1b}[31mred\nline", "1": "B-\u{1b}[0m"}});
    for (command, head) in [("classify", "ForSequenceClassification"), ("label", "ForTokenClassification")] {
        let model = TinyModel::with(head, labels.clone());
        let shown = mobilebert(&[&arguments(command, &model)[..], &["the cat"]].concat()).done();
        assert!(shown.contains("red line") || command == "label", "{shown:?}");
        assert!(!shown.contains('\u{1b}') && shown.contains("\u{fffd}["), "{shown:?}");
        let report = mobilebert(&["inspect", model.argument()]).done();
        assert!(!report.contains('\u{1b}') && report.contains("red line"), "{report:?}");
    }
}
