//! Results in the package's own words: camel case, UTF-16 offsets as `start` and `end`.

use serde::Serialize;

use super::options::Aggregation;
use crate::model;
use crate::task::question_answering as task;
use crate::text::{Tokenizer, Utf16Index};

/// Where a model runs.
#[derive(Serialize)]
pub struct Device<'a> {
    /// `webgpu` or `wasm`.
    pub kind: &'static str,
    /// The adapter's name; empty without one.
    pub adapter: &'a str,
    /// Whether it is software.
    pub fallback: bool,
    /// Why.
    pub reason: &'a str,
}

#[derive(Serialize)]
struct Answer {
    text: String,
    start: usize,
    end: usize,
    probability: f64,
    score: f64,
}

impl From<&task::Answer> for Answer {
    fn from(answer: &task::Answer) -> Self {
        Answer {
            text: answer.text.clone(),
            start: answer.start_utf16,
            end: answer.end_utf16,
            probability: answer.probability,
            score: answer.score,
        }
    }
}

/// What `ask` gives.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    answers: Vec<Answer>,
    no_answer: task::NoAnswer,
    windows: usize,
    windows_done: usize,
    truncated: bool,
    timing: model::Timing,
}

impl From<model::Reply> for Reply {
    fn from(reply: model::Reply) -> Self {
        Reply {
            answers: reply.answers.answers.iter().map(Answer::from).collect(),
            no_answer: reply.answers.no_answer,
            windows: reply.answers.windows,
            windows_done: reply.windows_done,
            truncated: reply.truncated,
            timing: reply.timing,
        }
    }
}

/// What is known between windows.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Partial {
    answers: Vec<Answer>,
    windows_done: usize,
    windows_total: usize,
}

impl From<&model::Progress> for Partial {
    fn from(progress: &model::Progress) -> Self {
        Partial {
            answers: progress.answers.answers.iter().map(Answer::from).collect(),
            windows_done: progress.windows_done,
            windows_total: progress.windows_total,
        }
    }
}

#[derive(Serialize)]
struct Entity {
    label: String,
    text: String,
    start: usize,
    end: usize,
    probability: f64,
    /// Of a single piece: how the vocabulary spells it, and its place in the sequence, where `[CLS]` is 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    piece: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
}

/// What `labelTokens` gives.
#[derive(Serialize)]
pub struct Labelled {
    entities: Vec<Entity>,
    truncated: bool,
    timing: model::Timing,
}

impl Labelled {
    /// Entities, or every piece of `text` with its own label.
    pub fn new(
        text: &str,
        labelled: &model::Labelled,
        aggregation: Aggregation,
        tokenizer: &Tokenizer,
    ) -> Self {
        let units = Utf16Index::new(text);
        let entities = match aggregation {
            Aggregation::Simple => labelled
                .entities
                .iter()
                .map(|entity| Entity {
                    label: entity.label.clone(),
                    text: entity.text.clone(),
                    start: entity.start_utf16,
                    end: entity.end_utf16,
                    probability: entity.probability,
                    piece: None,
                    index: None,
                })
                .collect(),
            Aggregation::None => labelled
                .tokens
                .iter()
                .map(|token| {
                    let bytes = token.start_byte..token.end_byte;
                    let place = units.range(&bytes);
                    Entity {
                        label: token.label.clone(),
                        text: text.get(bytes).unwrap_or_default().to_string(),
                        start: place.start,
                        end: place.end,
                        probability: token.probability,
                        piece: tokenizer.token(token.token),
                        index: Some(token.index + 1),
                    }
                })
                .collect(),
        };
        Labelled { entities, truncated: labelled.truncated, timing: labelled.timing }
    }
}

#[derive(Serialize)]
struct Filling {
    id: u32,
    token: String,
    probability: f64,
    sequence: String,
}

/// What `fillMask` gives.
#[derive(Serialize)]
pub struct Filled {
    masks: Vec<Vec<Filling>>,
    truncated: bool,
    timing: model::Timing,
}

impl From<model::Filled> for Filled {
    fn from(filled: model::Filled) -> Self {
        let filling = |fill: crate::task::fill_mask::Fill| Filling {
            id: fill.token,
            token: fill.token_str,
            probability: fill.probability,
            sequence: fill.sequence,
        };
        let masks = filled.masks.into_iter().map(|fills| fills.into_iter().map(filling).collect());
        Filled { masks: masks.collect(), truncated: filled.truncated, timing: filled.timing }
    }
}
