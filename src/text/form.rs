//! Names of a tokenizer's files, and access to the parts of `tokenizer.json`.

use serde_json::Value;

use crate::error::Error;

pub(super) const TOKENIZER_JSON: &str = "tokenizer.json";
pub(super) const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
pub(super) const VOCAB: &str = "vocab.txt";
pub(super) const SPECIAL_TOKENS_MAP: &str = "special_tokens_map.json";
pub(super) const ADDED_TOKENS: &str = "added_tokens.json";

pub(super) fn kind_of(part: Option<&Value>) -> Option<&str> {
    part.and_then(|part| part.get("type")).and_then(Value::as_str)
}

/// The only element of a `Sequence`, which is equivalent to it; anything else unchanged.
pub(super) fn only_element<'a>(part: Option<&'a Value>, elements: &str) -> Option<&'a Value> {
    match part.and_then(|part| part.get(elements)).and_then(Value::as_array).map(Vec::as_slice) {
        Some([only]) if kind_of(part) == Some("Sequence") => only_element(Some(only), elements),
        _ => part,
    }
}

pub(super) fn unsupported(part: &str, found: Option<&str>, wanted: &str) -> Error {
    Error::unsupported(
        format!("{TOKENIZER_JSON}: {part} {}", found.unwrap_or("null")),
        format!("use {wanted}"),
    )
}

/// A token, truncated for a message.
pub(super) fn token_text(token: &str) -> String {
    let short: String = token.chars().take(40).collect();
    format!("{short:?}{}", if short.len() < token.len() { "…" } else { "" })
}
