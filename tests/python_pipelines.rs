//! Task results, compared with those of Python's pipelines for the same models
//! (`tests/fixtures/pipelines/generate.py`).

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use mobilebert::model::{AskOptions, FillMask, LabelOptions, QuestionAnswering, TokenClassification};
use mobilebert::session::{Device, SessionOptions};
use mobilebert::task::question_answering::Merge;
use mobilebert::task::token_classification::{Aggregation, Entities, Entity, EntityOptions};
use serde::Deserialize;

#[derive(Deserialize)]
struct Values {
    answers: Vec<Answers>,
    entities: Vec<Labeled>,
    random_entities: Vec<Logits>,
    fillings: Vec<Filled>,
}

#[derive(Deserialize)]
struct Filled {
    text: String,
    top_k: Option<usize>,
    targets: Option<OneOrMany>,
    /// Tokens and scores, by mask.
    masks: Vec<Vec<(u32, f64)>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// Label, score, first and last character.
type PythonEntity = (String, f64, usize, usize);

#[derive(Deserialize)]
struct Labeled {
    text: String,
    strategy: Aggregation,
    ignore: Vec<String>,
    entities: Vec<PythonEntity>,
}

#[derive(Deserialize)]
struct Logits {
    text: String,
    logits: Vec<Vec<f32>>,
    entities: BTreeMap<String, Vec<PythonEntity>>,
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
            // Python also lists equal texts at the place of the better one; nearly equal scores may be
            // swapped.
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

fn assert_same(text: &str, found: &[Entity], expected: &[PythonEntity], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}: {found:?}");
    for (entity, (label, score, start, end)) in found.iter().zip(expected) {
        let bytes = (byte(text, *start), byte(text, *end));
        assert_eq!((&entity.label, entity.start_byte, entity.end_byte), (label, bytes.0, bytes.1), "{what}");
        assert!((entity.probability - score).abs() < 2e-6, "{what}: {entity:?} {score}");
    }
}

#[test]
fn entities_of_every_strategy_are_those_of_python() {
    let directory = directory("token-classification");
    let mut model = pollster::block_on(TokenClassification::open(directory, &options())).unwrap();
    for Labeled { text, strategy, ignore, entities } in values().entities {
        let what = format!("{text} {strategy:?} {ignore:?}");
        let options = EntityOptions { aggregation: strategy, ignore_labels: ignore };
        let options = LabelOptions { entities: options, tokens: false };
        let found = model.label_with(&text, &options, async |_| ControlFlow::Continue(()));
        assert_same(&text, &pollster::block_on(found).unwrap().entities, &entities, &what);
    }
    let labels = model.model().config().labels.clone();
    for Logits { text, logits, entities } in values().random_entities {
        assert_eq!(entities.len(), 5);
        for (strategy, expected) in entities {
            let aggregation = serde_json::from_value(strategy.clone().into()).unwrap();
            let options = EntityOptions { aggregation, ..EntityOptions::default() };
            let mut found = Entities::new(&text, &labels, &options);
            let pieces = model.model().tokenizer().unwrap().encode(&text).unwrap();
            found.add(&pieces, &logits.concat()).unwrap();
            assert_same(&text, &found.finish(), &expected, &format!("{text} {strategy}"));
        }
    }
}

#[test]
fn tokens_for_masks_with_and_without_targets_are_those_of_python() {
    let mut model = pollster::block_on(FillMask::open(directory("fill-mask"), &options())).unwrap();
    for Filled { text, top_k, targets, masks } in values().fillings {
        let targets = targets.map(|targets| match targets {
            OneOrMany::One(target) => vec![target],
            OneOrMany::Many(targets) => targets,
        });
        let found = model.fill_with(&text, targets.as_deref(), top_k.unwrap_or(5));
        let found = pollster::block_on(found).unwrap();
        assert_eq!(found.masks.len(), masks.len());
        for (found, expected) in found.masks.iter().zip(&masks) {
            assert_eq!(found.len(), expected.len());
            for (fill, (token, score)) in found.iter().zip(expected) {
                assert_eq!(fill.token, *token, "{text} {targets:?}");
                assert!((fill.probability - score).abs() < 1e-6, "{fill:?} {score}");
            }
        }
    }
}
