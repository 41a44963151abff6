//! `encode`.

use js_sys::{Array, Float32Array, Function};
use serde::Deserialize;
use wasm_bindgen::prelude::*;

use super::progress::Watch;
use crate::error::{Error, Result};
use crate::model::{EncodeOptions, Encoder, PoolTokens};
use crate::task::pooling::Pooling;
use crate::wasm::WasmModel;
use crate::wasm::convert::parse;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Options {
    /// The name of a pooling, `none`, or undefined to follow the directory.
    pooling: Option<String>,
    normalize: Option<bool>,
    max_length: Option<usize>,
}

impl Options {
    fn encode(&self) -> Result<EncodeOptions> {
        let pooling = match self.pooling.as_deref() {
            None => PoolTokens::AsDirectory,
            Some("none") => PoolTokens::Keep,
            Some(name) => {
                let named = Pooling::ALL.into_iter().find(|pooling| pooling.name() == name);
                PoolTokens::By(named.ok_or_else(|| Error::invalid_input("pooling", "is unknown"))?)
            }
        };
        Ok(EncodeOptions { pooling, normalize: self.normalize, max_length: self.max_length })
    }
}

#[wasm_bindgen(js_class = Model)]
impl WasmModel {
    /// One `Float32Array` per text; without pooling, an array per text with one `Float32Array` per token.
    /// `on_progress(done)` is awaited between runs; `false` stops the call.
    pub async fn encode(
        &mut self,
        texts: JsValue,
        options: JsValue,
        on_progress: Option<Function>,
    ) -> Result<Array, JsValue> {
        let options = parse::<Options>("options", &options)?.encode()?;
        let texts: Vec<String> = parse("texts", &texts)?;
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let task = Encoder::borrow(&mut self.0)?;
        let mut watch = Watch::new(on_progress);
        let embeddings = task.encode_with(&texts, options, async |done| watch.note(done).await).await;
        watch.check()?;
        let embeddings = embeddings?;
        let hidden_size = task.model().config().hidden_size;
        let floats = |values: &[f32]| JsValue::from(Float32Array::from(values));
        let vectors = embeddings.iter().map(|embedding| match options.pooling {
            PoolTokens::Keep => {
                embedding.vector.chunks_exact(hidden_size).map(floats).collect::<Array>().into()
            }
            PoolTokens::AsDirectory | PoolTokens::By(_) => floats(&embedding.vector),
        });
        Ok(vectors.collect())
    }
}
