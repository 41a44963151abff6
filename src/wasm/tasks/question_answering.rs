//! `ask`.

use js_sys::Function;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use super::progress::Watch;
use crate::model::{self, AskOptions, Progress, QuestionAnswering};
use crate::task::question_answering::{self as task, Merge, NoAnswer, Verdict};
use crate::wasm::WasmModel;
use crate::wasm::convert::{object, parse};

/// Options of a question, all optional.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct QuestionOptions {
    top_k: Option<usize>,
    max_answer_tokens: Option<usize>,
    max_length: Option<usize>,
    doc_stride: Option<usize>,
    max_question_tokens: Option<usize>,
    max_windows: Option<usize>,
    distinct: Option<bool>,
    align_to_words: Option<bool>,
}

impl QuestionOptions {
    fn ask(&self) -> AskOptions {
        let default = AskOptions::default();
        AskOptions {
            top_k: self.top_k.unwrap_or(default.top_k),
            max_answer_tokens: self.max_answer_tokens.unwrap_or(default.max_answer_tokens),
            max_length: self.max_length.unwrap_or(default.max_length),
            doc_stride: self.doc_stride.unwrap_or(default.doc_stride),
            max_question_tokens: self.max_question_tokens.unwrap_or(default.max_question_tokens),
            max_windows: self.max_windows,
            merge: if self.distinct == Some(false) { Merge::EqualTexts } else { default.merge },
            align_to_words: self.align_to_words.unwrap_or(default.align_to_words),
        }
    }
}

#[derive(Serialize)]
struct Answer {
    text: String,
    start: usize,
    end: usize,
    probability: f64,
    score: f64,
    variants: Vec<Variant>,
}

#[derive(Serialize)]
struct Variant {
    text: String,
    start: usize,
    end: usize,
    probability: f64,
    score: f64,
}

impl From<&task::Variant> for Variant {
    fn from(variant: &task::Variant) -> Self {
        Variant {
            text: variant.text.clone(),
            start: variant.start_utf16,
            end: variant.end_utf16,
            probability: variant.probability,
            score: variant.score,
        }
    }
}

impl From<&task::Answer> for Answer {
    fn from(answer: &task::Answer) -> Self {
        Answer {
            text: answer.text.clone(),
            start: answer.start_utf16,
            end: answer.end_utf16,
            probability: answer.probability,
            score: answer.score,
            variants: answer.variants.iter().map(Variant::from).collect(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reply {
    answers: Vec<Answer>,
    no_answer: NoAnswer,
    verdict: Verdict,
    windows: usize,
    windows_done: usize,
    truncated: bool,
    timing: model::Timing,
}

impl From<model::Reply> for Reply {
    fn from(reply: model::Reply) -> Self {
        Reply {
            answers: reply.answers.iter().map(Answer::from).collect(),
            no_answer: reply.no_answer,
            verdict: reply.verdict,
            windows: reply.windows,
            windows_done: reply.windows_done,
            truncated: reply.truncated,
            timing: reply.timing,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Partial {
    answers: Vec<Answer>,
    windows_done: usize,
    windows_total: usize,
}

impl From<&Progress> for Partial {
    fn from(progress: &Progress) -> Self {
        Partial {
            answers: progress.answers.iter().map(Answer::from).collect(),
            windows_done: progress.windows_done,
            windows_total: progress.windows_total,
        }
    }
}

#[wasm_bindgen(js_class = Model)]
impl WasmModel {
    /// Answers a question. `on_partial(progress)` is awaited between runs; `false` stops the reading.
    pub async fn ask(
        &mut self,
        question: String,
        context: String,
        options: JsValue,
        on_partial: Option<Function>,
    ) -> Result<JsValue, JsValue> {
        let options = parse::<QuestionOptions>("options", &options)?.ask();
        let task = QuestionAnswering::borrow(&mut self.0)?;
        let mut watch = Watch::new(on_partial);
        let progress = async |progress: Progress| watch.note_object(&Partial::from(&progress)).await;
        let reply = task.ask_with(&question, &context, &options, progress).await?;
        watch.check()?;
        Ok(object(&Reply::from(reply))?)
    }
}
