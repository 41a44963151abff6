//! `zeroShot`.

use js_sys::Function;
use serde::Deserialize;
use wasm_bindgen::prelude::*;

use super::progress::Watch;
use crate::model::{ZeroShotClassification, ZeroShotOptions};
use crate::wasm::WasmModel;
use crate::wasm::convert::{object, parse};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Options {
    hypothesis_template: Option<String>,
    multi_label: bool,
}

#[wasm_bindgen(js_class = Model)]
impl WasmModel {
    /// Scores of `labels` for a text. `on_progress(done)` is awaited between runs; `false` stops the call.
    #[wasm_bindgen(js_name = zeroShot)]
    pub async fn zero_shot(
        &mut self,
        text: String,
        labels: JsValue,
        options: JsValue,
        on_progress: Option<Function>,
    ) -> Result<JsValue, JsValue> {
        let options: Options = parse("options", &options)?;
        let labels: Vec<String> = parse("labels", &labels)?;
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        let default = ZeroShotOptions::default();
        let options = ZeroShotOptions {
            hypothesis_template: options
                .hypothesis_template
                .as_deref()
                .unwrap_or(default.hypothesis_template),
            multi_label: options.multi_label,
        };
        let task = ZeroShotClassification::borrow(&mut self.0)?;
        let mut watch = Watch::new(on_progress);
        let result = task.classify_with(&text, &labels, &options, async |done| watch.note(done).await).await;
        watch.check()?;
        Ok(object(&result?)?)
    }
}
