//! `labelTokens`.

use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use crate::model::{self, TokenClassification};
use crate::text::{Tokenizer, Utf16Index};
use crate::wasm::WasmModel;
use crate::wasm::convert::{object, parse};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LabelOptions {
    aggregation: Aggregation,
}

/// Whether adjacent tokens with the same label are joined.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Aggregation {
    #[default]
    Simple,
    None,
}

#[derive(Serialize)]
struct Entity {
    label: String,
    text: String,
    start: usize,
    end: usize,
    probability: f64,
    /// Of a single token: its spelling in the vocabulary, and its position in the sequence, where `[CLS]` is 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    piece: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
}

#[derive(Serialize)]
struct Labelled {
    entities: Vec<Entity>,
    truncated: bool,
    timing: model::Timing,
}

#[wasm_bindgen(js_class = Model)]
impl WasmModel {
    /// The labelled parts of a text.
    #[wasm_bindgen(js_name = labelTokens)]
    pub async fn label_tokens(&mut self, text: String, options: JsValue) -> Result<JsValue, JsValue> {
        let options: LabelOptions = parse("options", &options)?;
        let task = TokenClassification::borrow(&mut self.0)?;
        let labelled = task.label(&text).await?;
        let entities = match options.aggregation {
            Aggregation::Simple => joined(&labelled),
            Aggregation::None => one_by_one(&text, &labelled, task.model().tokenizer()?),
        };
        Ok(object(&Labelled { entities, truncated: labelled.truncated, timing: labelled.timing })?)
    }
}

fn joined(labelled: &model::Labelled) -> Vec<Entity> {
    labelled
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
        .collect()
}

fn one_by_one(text: &str, labelled: &model::Labelled, tokenizer: &Tokenizer) -> Vec<Entity> {
    let units = Utf16Index::new(text);
    labelled
        .tokens
        .iter()
        .map(|token| {
            let bytes = token.start_byte..token.end_byte;
            let range = units.range(&bytes);
            Entity {
                label: token.label.clone(),
                text: text.get(bytes).unwrap_or_default().to_string(),
                start: range.start,
                end: range.end,
                probability: token.probability,
                piece: tokenizer.token(token.token),
                index: Some(token.index + 1),
            }
        })
        .collect()
}
