//! Results of the tasks, compared with those of Python's pipelines for the same models
//! (`tests/fixtures/pipelines/generate.py`).

use std::path::Path;

use mobilebert::model::{AskOptions, QuestionAnswering};
use mobilebert::session::{Device, SessionOptions};
use mobilebert::task::question_answering::Merge;
use serde::Deserialize;

#[derive(Deserialize)]
struct Values {
    answers: Vec<Answers>,
}

#[derive(Deserialize)]
struct Answers {
    context: String,
    align_to_words: bool,
    /// First and last character, and the score relative to the best answer's.
    answers: Vec<(usize, usize, f64)>,
}

fn values() -> Values {
    serde_json::from_str(include_str!("fixtures/pipelines/values.json")).unwrap()
}

fn directory(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/transformers-js").join(name)
}

fn options() -> SessionOptions {
    SessionOptions { device: Device::Cpu, ..SessionOptions::default() }
}

/// Byte offset of a character.
fn byte(text: &str, character: usize) -> usize {
    text.char_indices().nth(character).map_or(text.len(), |(byte, _)| byte)
}

#[test]
fn answers_with_and_without_whole_words_are_those_of_python() {
    let mut model =
        pollster::block_on(QuestionAnswering::open(directory("question-answering"), &options())).unwrap();
    for Answers { context, align_to_words, answers } in values().answers {
        let options = AskOptions {
            top_k: 200,
            max_answer_tokens: 4,
            merge: Merge::EqualTexts,
            align_to_words,
            ..AskOptions::default()
        };
        let found = pollster::block_on(model.ask("what opened?", &context, &options)).unwrap().answers;
        let best = found[0].probability;
        let mut unmatched = answers.clone();
        assert_eq!(found.len(), answers.len(), "{context}");
        for (place, answer) in found.iter().enumerate() {
            let relative = answer.probability / best;
            // Python lists equal texts at the place of the better one, too; nearly equal scores may change places.
            let at = unmatched.iter().position(|&(start, end, score)| {
                (byte(&context, start), byte(&context, end)) == (answer.start_byte, answer.end_byte)
                    && (score - relative).abs() < 1e-4
            });
            assert!(at.is_some(), "{context} {align_to_words} {place}: {answer:?} {relative}");
            unmatched.remove(at.unwrap_or_default());
        }
        assert_eq!(
            (found[0].start_byte, found[0].end_byte),
            (byte(&context, answers[0].0), byte(&context, answers[0].1))
        );
    }
}
