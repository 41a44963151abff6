//! Plain JavaScript objects → typed options, through JSON; unknown names and wrong types are refused by name.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

use crate::error::{Error, Result};
use crate::model::{AskOptions, EncodeOptions, Pooling, Text};
use crate::plan::Schedule;
use crate::session::{Device, SessionOptions};
use crate::weights::Storage;

/// Options of a load.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoadOptions {
    device: Option<String>,
    schedule: Option<String>,
    dtype: Option<String>,
    profiling: bool,
}

impl LoadOptions {
    /// The session's options.
    pub fn session(&self) -> Result<SessionOptions> {
        let device = match self.device.as_deref() {
            None | Some("auto") => Device::Auto,
            Some("webgpu") => Device::Gpu,
            Some("wasm") => Device::Cpu,
            Some(other) => {
                let problem = format!("`{other}` is none of auto, webgpu, wasm");
                return Err(Error::invalid_input("device", problem));
            }
        };
        let schedule = self.schedule.as_deref().map(str::parse::<Schedule>).transpose()?.unwrap_or_default();
        Ok(SessionOptions { device, threads: 1, schedule, profiling: self.profiling })
    }

    /// The form into which the weights are brought while they load. f32 holds whatever the files hold.
    pub fn storage(&self) -> Result<Option<Storage>> {
        let storage = self.dtype.as_deref().map(str::parse::<Storage>).transpose()?;
        Ok(storage.filter(|storage| *storage != Storage::F32))
    }
}

/// Options of a question, all optional.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct QuestionOptions {
    top_k: Option<usize>,
    max_answer_tokens: Option<usize>,
    max_length: Option<usize>,
    doc_stride: Option<usize>,
    max_question_tokens: Option<usize>,
    max_windows: Option<usize>,
}

impl QuestionOptions {
    /// With the defaults for what is absent.
    pub fn ask(&self) -> AskOptions {
        let default = AskOptions::default();
        AskOptions {
            top_k: self.top_k.unwrap_or(default.top_k),
            max_answer_tokens: self.max_answer_tokens.unwrap_or(default.max_answer_tokens),
            max_length: self.max_length.unwrap_or(default.max_length),
            doc_stride: self.doc_stride.unwrap_or(default.doc_stride),
            max_question_tokens: self.max_question_tokens.unwrap_or(default.max_question_tokens),
            max_windows: self.max_windows,
        }
    }
}

/// For calls that take none yet.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NoOptions {}

/// How a text's labels are given.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LabelOptions {
    /// Joined or one by one.
    pub aggregation: Aggregation,
}

/// Whether neighbouring pieces of one label are joined.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Aggregation {
    /// Joined.
    #[default]
    Simple,
    /// Every piece.
    None,
}

/// How masks are filled.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct FillOptions {
    /// Pieces a mask.
    pub top_k: Option<usize>,
}

/// How texts are encoded.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmbedOptions {
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

impl EmbedOptions {
    /// As the encoder takes them.
    pub fn encode(&self) -> EncodeOptions {
        let pooling = match self.pooling {
            PoolingName::Mean => Pooling::Mean,
            PoolingName::Cls => Pooling::First,
            PoolingName::None => Pooling::None,
        };
        EncodeOptions { pooling, normalize: self.normalize }
    }
}

/// A string, or an array of two.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum TextOrPair {
    /// One text.
    Text(String),
    /// Two that belong together.
    Pair(String, String),
}

impl TextOrPair {
    /// As the model takes it.
    pub fn as_text(&self) -> Text<'_> {
        match self {
            TextOrPair::Text(text) => Text { text, pair: None },
            TextOrPair::Pair(text, pair) => Text { text, pair: Some(pair) },
        }
    }
}

/// An argument as a typed value; `undefined` and `null` are the default.
pub fn parse<T: DeserializeOwned + Default>(field: &str, value: &JsValue) -> Result<T> {
    if value.is_undefined() || value.is_null() {
        return Ok(T::default());
    }
    let json = js_sys::JSON::stringify(value)
        .ok()
        .and_then(|json| json.as_string())
        .ok_or_else(|| Error::invalid_input(field, "is no plain object"))?;
    serde_json::from_str(&json).map_err(|error| Error::invalid_input(field, error.to_string()))
}

/// A result as a plain object.
pub fn object(value: &impl Serialize) -> Result<JsValue> {
    let json = serde_json::to_string(value).map_err(|error| Error::internal("result", error.to_string()))?;
    js_sys::JSON::parse(&json).map_err(|_| Error::internal("result", "is no JSON"))
}
