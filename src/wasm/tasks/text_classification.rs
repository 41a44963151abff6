//! `classify`.

use serde::Deserialize;
use wasm_bindgen::prelude::*;

use crate::model::{Text, TextClassification};
use crate::wasm::WasmModel;
use crate::wasm::convert::{object, parse};

/// There are none yet.
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

#[wasm_bindgen(js_class = Model)]
impl WasmModel {
    /// Labels of each of `texts`, an array of strings and pairs of strings.
    pub async fn classify(&mut self, texts: JsValue, options: JsValue) -> Result<JsValue, JsValue> {
        parse::<ClassifyOptions>("options", &options)?;
        let texts: Vec<TextOrPair> = parse("texts", &texts)?;
        let texts: Vec<Text<'_>> = texts.iter().map(TextOrPair::as_text).collect();
        let task = TextClassification::borrow(&mut self.0)?;
        Ok(object(&task.classify(&texts).await?)?)
    }
}
