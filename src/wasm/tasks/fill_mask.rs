//! `fillMask`.

use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use crate::model::{self, FillMask};
use crate::task::fill_mask::{Fill, Replaced};
use crate::wasm::WasmModel;
use crate::wasm::convert::{object, parse};

/// Default number of tokens per mask, the same as in `transformers`.
const TOP_K: usize = 5;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct FillOptions {
    top_k: Option<usize>,
    targets: Option<Vec<String>>,
}

#[derive(Serialize)]
struct Filling {
    id: u32,
    token: String,
    probability: f64,
    sequence: String,
}

impl From<Fill> for Filling {
    fn from(fill: Fill) -> Self {
        Filling {
            id: fill.token,
            token: fill.token_str,
            probability: fill.probability,
            sequence: fill.sequence,
        }
    }
}

#[derive(Serialize)]
struct Filled {
    masks: Vec<Vec<Filling>>,
    replaced: Vec<Replaced>,
    truncated: bool,
    timing: model::Timing,
}

#[wasm_bindgen(js_class = Model)]
impl WasmModel {
    /// The most probable tokens for every mask of a text.
    #[wasm_bindgen(js_name = fillMask)]
    pub async fn fill_mask(&mut self, text: String, options: JsValue) -> Result<JsValue, JsValue> {
        let options: FillOptions = parse("options", &options)?;
        let task = FillMask::borrow(&mut self.0)?;
        let top_k = options.top_k.unwrap_or(TOP_K);
        let filled = task.fill_with(&text, options.targets.as_deref(), top_k).await?;
        let model::Filled { masks, replaced, truncated, timing } = filled;
        let masks = masks.into_iter().map(|fills| fills.into_iter().map(Filling::from).collect()).collect();
        Ok(object(&Filled { masks, replaced, truncated, timing })?)
    }
}
