//! `encode`.

use js_sys::{Array, Float32Array};
use serde::Deserialize;
use wasm_bindgen::prelude::*;

use crate::model::{EncodeOptions, Encoder, Pooling};
use crate::wasm::WasmModel;
use crate::wasm::convert::parse;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct EmbedOptions {
    pooling: PoolingName,
    normalize: bool,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum PoolingName {
    #[default]
    Mean,
    Cls,
    None,
}

impl From<EmbedOptions> for EncodeOptions {
    fn from(options: EmbedOptions) -> Self {
        let pooling = match options.pooling {
            PoolingName::Mean => Pooling::Mean,
            PoolingName::Cls => Pooling::First,
            PoolingName::None => Pooling::None,
        };
        EncodeOptions { pooling, normalize: options.normalize }
    }
}

#[wasm_bindgen(js_class = Model)]
impl WasmModel {
    /// One `Float32Array` per text; without pooling one array of them per text, with one `Float32Array` per token.
    pub async fn encode(&mut self, texts: JsValue, options: JsValue) -> Result<Array, JsValue> {
        let options = EncodeOptions::from(parse::<EmbedOptions>("options", &options)?);
        let texts: Vec<String> = parse("texts", &texts)?;
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let task = Encoder::borrow(&mut self.0)?;
        let embeddings = task.encode(&texts, options).await?;
        let hidden_size = task.model().config().hidden_size;
        let floats = |values: &[f32]| JsValue::from(Float32Array::from(values));
        let vectors = embeddings.iter().map(|embedding| match options.pooling {
            Pooling::None => embedding.vector.chunks_exact(hidden_size).map(floats).collect::<Array>().into(),
            Pooling::Mean | Pooling::First => floats(&embedding.vector),
        });
        Ok(vectors.collect())
    }
}
