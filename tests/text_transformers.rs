//! Compares a tokenizer's files in every combination with `transformers`
//! (`tests/oracles/tokenizer_files.py`).

mod support;

use std::collections::BTreeMap;

use mobilebert::model::SmallFiles;
use mobilebert::text::{Piece, Tokenizer, sequence};
use serde::Deserialize;
use serde_json::Value;
use support::tokenizers::{VOCAB, with_vocabulary};

#[derive(Deserialize)]
struct Case {
    name: String,
    files: BTreeMap<String, Value>,
    texts: Vec<Expected>,
}

/// The result of the fast tokenizer of `transformers`.
#[derive(Deserialize)]
struct Expected {
    text: String,
    pair: Option<String>,
    ids: Vec<u32>,
    type_ids: Vec<u32>,
    /// For each text, `[position, start, end]`, in bytes.
    pieces: [Vec<[usize; 3]>; 2],
}

fn tokenizer(files: &BTreeMap<String, Value>) -> Tokenizer {
    let text = |(name, content): (&String, &Value)| {
        let text = match (name.as_str(), content) {
            ("vocab.txt", Value::String(last_lines)) => format!("{VOCAB}{last_lines}"),
            ("tokenizer.json", json) => with_vocabulary(json.clone()).to_string(),
            (_, content) => content.to_string(),
        };
        (name.clone(), text)
    };
    let files: SmallFiles = files.iter().map(text).collect();
    Tokenizer::from_files(files.tokenizer()).unwrap()
}

#[test]
fn ids_types_and_offsets_are_those_of_transformers() {
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("oracles/fixtures/tokenizer_files.json")).unwrap();
    let mut different = Vec::new();
    for case in &cases {
        let tokenizer = tokenizer(&case.files);
        for Expected { text, pair, ids, type_ids, pieces } in &case.texts {
            let max_length = tokenizer.max_length().unwrap_or(512).min(512);
            let found = sequence::encode(&tokenizer, text, pair.as_deref(), max_length).unwrap();
            let places = |first: usize, pieces: &[Piece]| -> Vec<[usize; 3]> {
                (first..).zip(pieces).map(|(position, piece)| [position, piece.start, piece.end]).collect()
            };
            let [first, second] = found.positions;
            let found =
                (found.ids, found.type_ids, [places(first, &found.pieces), places(second, &found.pair)]);
            if (&found.0, &found.1, &found.2) != (ids, type_ids, pieces) {
                different.push(format!(
                    "{}: {text:?} {pair:?}\n  {:?}\n  {found:?}\n  {:?} expected",
                    case.name,
                    case.files,
                    (ids, type_ids, pieces)
                ));
            }
        }
    }
    assert!(cases.len() > 40);
    assert!(different.is_empty(), "{} of {}:\n{}", different.len(), cases.len(), different.join("\n"));
}
