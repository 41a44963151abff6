//! Names of a tokenizer's files, and the types of the parts of `tokenizer.json`.

use serde_json::Value;

use crate::error::Error;

pub(super) const TOKENIZER_JSON: &str = "tokenizer.json";
pub(super) const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
pub(super) const VOCAB: &str = "vocab.txt";

pub(super) fn kind_of(part: Option<&Value>) -> Option<&str> {
    part.and_then(|part| part.get("type")).and_then(Value::as_str)
}

pub(super) fn unsupported(part: &str, found: Option<&str>, wanted: &str) -> Error {
    Error::unsupported(
        format!("{TOKENIZER_JSON}: {part} {}", found.unwrap_or("null")),
        format!("BERT's family uses {wanted}"),
    )
}
