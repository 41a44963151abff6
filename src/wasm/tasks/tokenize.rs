//! `tokenize`.

use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::text::Utf16Index;
use crate::wasm::WasmModel;
use crate::wasm::convert::object;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tokens {
    ids: Vec<u32>,
    pieces: Vec<String>,
    /// `[0, 0]` for the special tokens of the template.
    offsets: Vec<[usize; 2]>,
    type_ids: Vec<u32>,
    /// Null for the special tokens of the template.
    text_indices: Vec<Option<usize>>,
    count: usize,
    max_length: usize,
}

#[wasm_bindgen(js_class = Model)]
impl WasmModel {
    /// The tokens of a text or a pair.
    pub fn tokenize(&self, text: &str, pair: Option<String>) -> Result<JsValue, JsValue> {
        let tokens = self.0.tokenize(text, pair.as_deref())?;
        let texts = [text, pair.as_deref().unwrap_or_default()].map(Utf16Index::new);
        let offset = |source: &Option<(usize, std::ops::Range<usize>)>| match source {
            Some((text, bytes)) => {
                let units = texts[*text].range(bytes);
                [units.start, units.end]
            }
            None => [0, 0],
        };
        Ok(object(&Tokens {
            offsets: tokens.sources.iter().map(offset).collect(),
            text_indices: tokens
                .sources
                .iter()
                .map(|source| source.as_ref().map(|(text, _)| *text))
                .collect(),
            count: tokens.ids.len(),
            ids: tokens.ids,
            pieces: tokens.pieces,
            type_ids: tokens.type_ids,
            max_length: self.0.max_length(),
        })?)
    }
}
