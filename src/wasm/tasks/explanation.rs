//! `explain`.

use js_sys::{Float32Array, Function, Reflect};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use super::progress::Watch;
use crate::error::{Error, Result};
use crate::model::{self, AttentionHead, QuestionAnswering};
use crate::task::explanation::{self as task, Source};
use crate::text::byte_at;
use crate::wasm::WasmModel;
use crate::wasm::convert::{object, parse};

/// Options of an explanation, all optional.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct ExplainOptions {
    answer: Option<Span>,
    layer: Option<usize>,
    head: Option<usize>,
    max_length: Option<usize>,
    doc_stride: Option<usize>,
    max_question_tokens: Option<usize>,
}

/// A span of the context in UTF-16 units.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Span {
    start: usize,
    end: usize,
}

impl ExplainOptions {
    fn explain(&self, context: &str) -> Result<model::ExplainOptions> {
        let default = model::ExplainOptions::default();
        let past = || Error::invalid_input("answer", format!("ends past the context: {:?}", self.answer));
        let byte = |units| byte_at(context, units).ok_or_else(past);
        let answer = self.answer.as_ref().map(|span| Ok(byte(span.start)?..byte(span.end)?)).transpose()?;
        let attention = match (self.layer, self.head) {
            (Some(layer), Some(head)) => Some(AttentionHead { layer, head }),
            (None, None) => None,
            (None, Some(_)) => return Err(Error::invalid_input("layer", "is missing for this head")),
            (Some(_), None) => return Err(Error::invalid_input("head", "is missing for this layer")),
        };
        Ok(model::ExplainOptions {
            answer,
            attention,
            max_length: self.max_length.unwrap_or(default.max_length),
            doc_stride: self.doc_stride.unwrap_or(default.doc_stride),
            max_question_tokens: self.max_question_tokens.unwrap_or(default.max_question_tokens),
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Word {
    text: String,
    source: Source,
    start: usize,
    end: usize,
    start_probability: f64,
    end_probability: f64,
}

impl From<task::Word> for Word {
    fn from(word: task::Word) -> Self {
        Word {
            text: word.text,
            source: word.source,
            start: word.start_utf16,
            end: word.end_utf16,
            start_probability: word.start_probability,
            end_probability: word.end_probability,
        }
    }
}

#[derive(Serialize)]
struct Explanation {
    words: Vec<Word>,
    layers: usize,
    heads: usize,
    window: usize,
    windows: usize,
    timing: model::Timing,
}

#[wasm_bindgen(js_class = Model)]
impl WasmModel {
    /// Explains an answer; `attention` is a `Float32Array` if it was requested. `on_progress(runs)` is
    /// awaited between runs; `false` stops the call.
    pub async fn explain(
        &mut self,
        question: String,
        context: String,
        options: JsValue,
        on_progress: Option<Function>,
    ) -> Result<JsValue, JsValue> {
        let options = parse::<ExplainOptions>("options", &options)?.explain(&context)?;
        let task = QuestionAnswering::borrow(&mut self.0)?;
        let mut watch = Watch::new(on_progress);
        let mut runs = 0;
        let progress = async || {
            runs += 1;
            watch.note(runs).await
        };
        let result = task.explain_with(&question, &context, &options, progress).await;
        watch.check()?;
        let model::Explanation { words, attention, layers, heads, window, windows, timing } = result?;
        let words = words.into_iter().map(Word::from).collect();
        let explanation = object(&Explanation { words, layers, heads, window, windows, timing })?;
        if let Some(attention) = attention {
            Reflect::set(&explanation, &"attention".into(), &Float32Array::from(&attention[..]))?;
        }
        Ok(explanation)
    }
}
