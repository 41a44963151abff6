//! `classify`.

use js_sys::Function;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use super::progress::Watch;
use crate::model::{self, Text, TextClassification};
use crate::wasm::WasmModel;
use crate::wasm::convert::{object, parse};

/// No options yet.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ClassifyOptions {}

/// A string, or an array of two.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum TextOrPair {
    Text(String),
    Pair(String, String),
}

impl TextOrPair {
    fn as_text(&self) -> Text<'_> {
        match self {
            TextOrPair::Text(text) => Text { text, pair: None },
            TextOrPair::Pair(text, pair) => Text { text, pair: Some(pair) },
        }
    }
}

#[derive(Serialize)]
struct Word<'a> {
    text: &'a str,
    start: usize,
    end: usize,
    contribution: f64,
    unknown: bool,
}

impl<'a> From<&'a model::WordContribution> for Word<'a> {
    fn from(word: &'a model::WordContribution) -> Self {
        let model::WordContribution { text, contribution, unknown, .. } = word;
        let (start, end) = (word.start_utf16, word.end_utf16);
        Word { text, start, end, contribution: *contribution, unknown: *unknown }
    }
}

#[derive(Serialize)]
struct Contributions<'a> {
    label: &'a str,
    probability: f64,
    words: Vec<Word<'a>>,
    truncated: bool,
    timing: model::Timing,
}

#[wasm_bindgen(js_class = Model)]
impl WasmModel {
    /// The contribution of each word of a text to a label, which defaults to the most probable one.
    /// `on_progress(done)` is awaited between runs; `false` stops the call.
    pub async fn contributions(
        &mut self,
        text: String,
        label: Option<String>,
        on_progress: Option<Function>,
    ) -> Result<JsValue, JsValue> {
        let task = TextClassification::borrow(&mut self.0)?;
        let mut watch = Watch::new(on_progress);
        let result =
            task.contributions_with(&text, label.as_deref(), async |done| watch.note(done).await).await;
        watch.check()?;
        let found = result?;
        Ok(object(&Contributions {
            label: &found.label,
            probability: found.probability,
            words: found.words.iter().map(Word::from).collect(),
            truncated: found.truncated,
            timing: found.timing,
        })?)
    }

    /// Labels of each of `texts`, an array of strings and pairs of strings. `on_progress(done)` is awaited between runs;
    /// `false` stops the call.
    pub async fn classify(
        &mut self,
        texts: JsValue,
        options: JsValue,
        on_progress: Option<Function>,
    ) -> Result<JsValue, JsValue> {
        parse::<ClassifyOptions>("options", &options)?;
        let texts: Vec<TextOrPair> = parse("texts", &texts)?;
        let texts: Vec<Text<'_>> = texts.iter().map(TextOrPair::as_text).collect();
        let task = TextClassification::borrow(&mut self.0)?;
        let mut watch = Watch::new(on_progress);
        let classified = task.classify_with(&texts, async |done| watch.note(done).await).await;
        watch.check()?;
        Ok(object(&classified?)?)
    }
}
