//! `rank`.

use js_sys::Function;
use serde::Deserialize;
use wasm_bindgen::prelude::*;

use super::progress::Watch;
use crate::model::TextRanking;
use crate::wasm::WasmModel;
use crate::wasm::convert::{object, parse};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Options {
    top_k: Option<usize>,
}

#[wasm_bindgen(js_class = Model)]
impl WasmModel {
    /// The best of `documents` for a query. `on_progress(done)` is awaited between runs; `false` stops the call.
    pub async fn rank(
        &mut self,
        query: String,
        documents: JsValue,
        options: JsValue,
        on_progress: Option<Function>,
    ) -> Result<JsValue, JsValue> {
        let options: Options = parse("options", &options)?;
        let documents: Vec<String> = parse("documents", &documents)?;
        let documents: Vec<&str> = documents.iter().map(String::as_str).collect();
        let task = TextRanking::borrow(&mut self.0)?;
        let mut watch = Watch::new(on_progress);
        let result =
            task.rank_with(&query, &documents, options.top_k, async |done| watch.note(done).await).await;
        watch.check()?;
        Ok(object(&result?)?)
    }
}
