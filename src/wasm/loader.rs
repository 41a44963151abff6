//! The loader: takes the small files first, then the weights' bytes as they arrive.

use serde::Deserialize;
use wasm_bindgen::prelude::*;

use super::convert::{parse, shard_index};
use super::model::{WasmModel, device_object, head_of};
use super::options::LoadOptions;
use crate::error::Error;
use crate::model::{Loader, ModelFiles, SmallFiles};

/// The files that are read before the weights.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Files {
    config: String,
    small: SmallFiles,
    index: Option<String>,
    task: Option<String>,
}

/// Loads a model from its files.
#[wasm_bindgen(js_name = Loader)]
pub struct WasmLoader {
    pub(super) loader: Loader,
    split_special_tokens: Option<bool>,
}

#[wasm_bindgen(js_class = Loader)]
impl WasmLoader {
    /// Checks the small files `{ config, small?, index?, task? }` (texts; those in `small` by name) and
    /// selects device and storage according to `{ device?, schedule?, dtype?, splitSpecialTokens? }`. The
    /// task determines the head; `feature-extraction` drops it.
    pub async fn create(files: JsValue, options: JsValue) -> Result<WasmLoader, JsValue> {
        let files: Files = parse("files", &files)?;
        let options: LoadOptions = parse("options", &options)?;
        let index = shard_index(files.index.as_deref())?;
        let files = ModelFiles {
            config: files.config.as_bytes(),
            small: Some(&files.small),
            index: index.as_ref(),
            head: files.task.as_deref().and_then(head_of),
        };
        let storage = options.storage()?;
        let split_special_tokens = options.split_special_tokens;
        let options = options.session()?;
        let mut loader = Loader::new(&files, &options).await?;
        if let Some(storage) = storage {
            loader.convert_to(storage);
        }
        Ok(WasmLoader { loader, split_special_tokens })
    }

    /// `{ kind: "webgpu" | "wasm", adapter, fallback, reason, chosen }`.
    pub fn device(&self) -> Result<JsValue, JsValue> {
        let device =
            self.loader.device().ok_or_else(|| Error::internal("load", "the loader has already failed"))?;
        Ok(device_object(device)?)
    }

    /// Ends the previous weights file, if any, and starts the one with this name, and with this size in bytes
    /// if known.
    #[wasm_bindgen(js_name = beginFile)]
    pub fn begin_file(&mut self, name: &str, bytes: Option<f64>) -> Result<(), JsValue> {
        Ok(self.loader.begin_file(name, bytes.map(|bytes| bytes as u64))?)
    }

    /// Takes the file's next bytes.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), JsValue> {
        Ok(self.loader.push(chunk)?)
    }

    /// The key under which to store the choice, while the device hasn't been chosen.
    #[wasm_bindgen(js_name = choiceKey)]
    pub fn choice_key(&self) -> Option<String> {
        self.loader.choice_key()
    }

    /// Chooses the device; call it as soon as there is a key. Takes its own return value of an earlier visit,
    /// and returns the record to store, if something was measured.
    pub async fn choose(&mut self, remembered: Option<String>) -> Result<Option<String>, JsValue> {
        Ok(self.loader.choose(remembered.as_deref()).await?)
    }

    /// The model.
    pub async fn finish(self) -> Result<WasmModel, JsValue> {
        let mut model = self.loader.finish().await?;
        if self.split_special_tokens.is_some() {
            model.set_split_special_tokens(self.split_special_tokens);
        }
        Ok(WasmModel::new(model)?)
    }
}
