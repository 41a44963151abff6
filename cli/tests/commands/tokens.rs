//! `tokens`.

use serde_json::{Value, json};

use crate::models::{TinyModel, vocabulary};
use crate::process::{mobilebert, mobilebert_reading, text};

fn numbers(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|number| number.as_u64().unwrap() as usize).collect()
}

fn pieces(record: &Value) -> Vec<String> {
    let vocabulary = vocabulary();
    numbers(&record["input_ids"]).into_iter().map(|id| vocabulary[id].clone()).collect()
}

#[test]
fn a_text_has_pieces_ids_and_offsets() {
    let model = TinyModel::new("Model");
    let record = mobilebert(&["tokens", "--model", model.argument(), "The  cab 😀", "--json"]).json();
    assert_eq!(pieces(&record), ["[CLS]", "the", "c", "##a", "##b", "😀", "[SEP]"]);
    assert_eq!(record["offsets"], json!([[0, 0], [0, 3], [5, 6], [6, 7], [7, 8], [9, 13], [0, 0]]));
    assert_eq!(record["token_type_ids"], json!([0, 0, 0, 0, 0, 0, 0]));
    let plain = mobilebert(&["tokens", "--model", model.argument(), "The  cab 😀"]).done();
    assert!(plain.contains("##b") && plain.contains("9..13"), "{plain}");
}

#[test]
fn a_long_passage_is_split_into_overlapping_windows() {
    let model = TinyModel::new("Model");
    let passage = "the cat sat on a mat . ".repeat(5);
    let records = mobilebert_reading(
        &[
            "tokens",
            "--model",
            model.argument(),
            "--question",
            "who?",
            "--max-length",
            "20",
            "--doc-stride",
            "10",
            "--json",
        ],
        passage.as_bytes(),
    )
    .json_lines();
    // 35 tokens, of which 15 fit next to the question and special tokens: windows start at 0, 10 and 20.
    assert_eq!(records.len(), 3);
    let mut best = vec![0; 35];
    for (index, record) in records.iter().enumerate() {
        assert_eq!(record["window"], index);
        let pieces = pieces(record);
        assert_eq!(pieces[..4], ["[CLS]", "who", "?", "[SEP]"]);
        assert_eq!(pieces.last().unwrap(), "[SEP]");
        assert_eq!(numbers(&record["token_type_ids"]), [vec![0; 4], vec![1; pieces.len() - 4]].concat());
        for (position, is_best) in record["max_context"].as_array().unwrap().iter().enumerate() {
            if is_best.as_bool().unwrap() {
                best[10 * index + position - 4] += 1;
            }
            if (4..pieces.len() - 1).contains(&position) {
                let place = numbers(&record["offsets"][position]);
                assert_eq!(passage[place[0]..place[1]], pieces[position]);
            }
        }
    }
    assert_eq!(best, [1; 35], "every token has its max-context in exactly one window");
}

#[test]
fn every_question_of_a_squad_file_is_windowed_under_its_id() {
    let model = TinyModel::new("Model");
    let file = json!({"version": "1.1", "data": [{"title": "t", "paragraphs": [
        {"context": "The cat sat.", "qas": [
            {"id": "first", "question": "Who sat?", "answers": []}, {"id": "second", "question": "Who?", "answers": []}]},
        {"context": "A mat.", "qas": [{"id": "third", "question": "Who?", "answers": []}]}]}]});
    let path = model.write("dev.json", file.to_string().as_bytes());
    let records =
        mobilebert(&["tokens", "--model", model.argument(), "--squad", text(&path), "--json"]).json_lines();
    let ids: Vec<&str> = records.iter().map(|record| record["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["first", "second", "third"]);
    assert_eq!(pieces(&records[1]), ["[CLS]", "who", "?", "[SEP]", "the", "cat", "sat", ".", "[SEP]"]);
    assert_eq!(pieces(&records[2])[4..], ["a", "mat", ".", "[SEP]"]);
}

#[test]
fn only_the_tokenizer_is_needed() {
    let model = TinyModel::new("Model");
    model.remove("model.safetensors");
    model.remove("config.json");
    mobilebert(&["tokens", "--model", model.argument(), "the cat", "--json"]).json();
}
