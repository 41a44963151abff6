//! `labelTokens`.

use js_sys::Function;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use super::progress::Watch;
use crate::model::{self, LabelOptions, TokenClassification};
use crate::task::token_classification::{self as task, Aggregation, EntityOptions};
use crate::text::Tokenizer;
use crate::wasm::WasmModel;
use crate::wasm::convert::{object, parse};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Options {
    aggregation: Aggregation,
    ignore_labels: Option<Vec<String>>,
}

impl Options {
    /// By default, `O` is omitted, except from a list of all tokens.
    fn label(self) -> LabelOptions {
        let usual = || if self.aggregation == Aggregation::None { vec![] } else { vec!["O".to_owned()] };
        let ignore_labels = self.ignore_labels.unwrap_or_else(usual);
        let entities = EntityOptions { aggregation: self.aggregation, ignore_labels };
        LabelOptions { entities, tokens: false }
    }
}

#[derive(Serialize)]
struct Entity {
    label: String,
    text: String,
    start: usize,
    end: usize,
    probability: f64,
    /// For a single token, its spelling in the vocabulary, and its position in the text, where `[CLS]` is 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    piece: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
}

impl Entity {
    fn new(entity: task::Entity, tokenizer: &Tokenizer) -> Self {
        Entity {
            label: entity.label,
            text: entity.text,
            start: entity.start_utf16,
            end: entity.end_utf16,
            probability: entity.probability,
            piece: entity.token.and_then(|token| tokenizer.token(token.id)),
            index: entity.token.map(|token| token.index + 1),
        }
    }
}

#[derive(Serialize)]
struct Labeled {
    entities: Vec<Entity>,
    windows: usize,
    truncated: bool,
    timing: model::Timing,
}

#[wasm_bindgen(js_class = Model)]
impl WasmModel {
    /// The labeled parts of a text. `on_progress(windows)` is awaited between runs; `false` stops the call.
    #[wasm_bindgen(js_name = labelTokens)]
    pub async fn label_tokens(
        &mut self,
        text: String,
        options: JsValue,
        on_progress: Option<Function>,
    ) -> Result<JsValue, JsValue> {
        let options = parse::<Options>("options", &options)?.label();
        let task = TokenClassification::borrow(&mut self.0)?;
        let mut watch = Watch::new(on_progress);
        let result = task.label_with(&text, &options, async |done| watch.note(done).await).await;
        watch.check()?;
        let model::Labeled { entities, windows, timing, .. } = result?;
        let tokenizer = task.model().tokenizer()?;
        let entities = entities.into_iter().map(|entity| Entity::new(entity, tokenizer)).collect();
        Ok(object(&Labeled { entities, windows, truncated: false, timing })?)
    }
}
