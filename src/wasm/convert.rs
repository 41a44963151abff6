//! Plain JavaScript objects ↔ typed Rust values, through JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;

use crate::error::{Error, Result};
use crate::weights::ShardIndex;

/// An argument as a typed value; `undefined` and `null` give the default. Errors name unknown fields and wrong types.
pub fn parse<T: DeserializeOwned + Default>(field: &str, value: &JsValue) -> Result<T> {
    if value.is_undefined() || value.is_null() {
        return Ok(T::default());
    }
    let json = js_sys::JSON::stringify(value)
        .ok()
        .and_then(|json| json.as_string())
        .ok_or_else(|| Error::invalid_input(field, "isn't a plain object"))?;
    serde_json::from_str(&json).map_err(|error| Error::invalid_input(field, error.to_string()))
}

/// The index of sharded weights, whose file can have either of two names.
pub fn shard_index(json: Option<&str>) -> Result<Option<ShardIndex>> {
    json.map(|json| ShardIndex::parse("the index of the weights", json.as_bytes())).transpose()
}

/// A result as a plain object.
pub fn object(value: &impl Serialize) -> Result<JsValue> {
    let json = serde_json::to_string(value).map_err(|error| Error::internal("result", error.to_string()))?;
    js_sys::JSON::parse(&json).map_err(|_| Error::internal("result", "isn't JSON"))
}
