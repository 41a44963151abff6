//! Typed access to the fields of a `config.json`; every error names the field.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::kinds::activation_of;
use super::{Activation, FILE, ProblemType};
use crate::error::{Error, Result};
use crate::json;

/// Far above any size in these model families; products of two sizes fit in 64 bits.
const MAX_SIZE: u64 = 1 << 24;
/// Maximum number of layers, and of feed-forward networks per layer: memory is proportional to it.
const MAX_COUNT: u64 = 10_000;
/// Maximum number of a classifier's labels.
const MAX_LABELS: u64 = 1_000_000;

/// The top-level object of a `config.json`.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub(super) fn parse(json: &[u8]) -> Result<Self> {
        let refuse = |problem: String| Error::NotAModel { file: FILE.into(), problem };
        let json = json::content(FILE, json)?;
        let parsed = serde_json::from_slice(json).or_else(|error| match quote_non_finite(json) {
            Some(quoted) => serde_json::from_slice(&quoted),
            None => Err(error),
        });
        match parsed {
            Ok(Value::Object(fields)) => Ok(Fields(fields)),
            Ok(_) => Err(refuse("it is JSON, but not an object".into())),
            Err(error) => Err(refuse(format!("it is not JSON: {error}"))),
        }
    }

    /// The value, or `None` if absent or null.
    pub(super) fn get(&self, field: &str) -> Option<&Value> {
        self.0.get(field).filter(|value| !value.is_null())
    }

    /// The fields of an object.
    pub(super) fn object(&self, field: &str) -> Result<Option<Fields>> {
        match self.get(field) {
            None => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(Fields(fields.clone()))),
            Some(value) => Err(Error::config(field, format!("is {}, must be an object", truncated(value)))),
        }
    }

    /// The number of entries of an object or list.
    pub(super) fn entries(&self, field: &str) -> Option<usize> {
        match self.get(field) {
            Some(Value::Object(entries)) => Some(entries.len()),
            Some(Value::Array(entries)) => Some(entries.len()),
            _ => None,
        }
    }

    /// Returns whether the field is a non-empty object or list.
    pub(super) fn has_entries(&self, field: &str) -> bool {
        self.entries(field).is_some_and(|entries| entries > 0)
    }

    /// The first of a field's alternative names that is present, or simply the first if none is.
    pub(super) fn present<'a>(&self, names: &[&'a str]) -> &'a str {
        names.iter().find(|name| self.0.contains_key(**name)).unwrap_or(&names[0])
    }

    fn integer(&self, field: &str, default: u64, min: u64, max: u64) -> Result<u64> {
        match self.0.get(field) {
            None => Ok(default),
            Some(value) => match value.as_u64() {
                Some(number) if (min..=max).contains(&number) => Ok(number),
                _ => Err(Error::config(
                    field,
                    format!("is {}, must be an integer from {min} to {max}", truncated(value)),
                )),
            },
        }
    }

    pub(super) fn size(&self, field: &str, default: u64) -> Result<usize> {
        Ok(self.integer(field, default, 1, MAX_SIZE)? as usize)
    }

    pub(super) fn count(&self, field: &str, default: u64) -> Result<usize> {
        Ok(self.integer(field, default, 1, MAX_COUNT)? as usize)
    }

    pub(super) fn optional_size(&self, field: &str) -> Result<Option<usize>> {
        self.get(field).map(|_| self.size(field, 1)).transpose()
    }

    pub(super) fn token_id(&self, field: &str) -> Result<u32> {
        if self.get(field).is_none() {
            return Ok(0);
        }
        Ok(self.integer(field, 0, 0, MAX_SIZE)? as u32)
    }

    pub(super) fn flag(&self, field: &str, default: bool) -> Result<bool> {
        match self.0.get(field) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(value) => {
                Err(Error::config(field, format!("is {}, must be true or false", truncated(value))))
            }
        }
    }

    pub(super) fn text(&self, field: &str) -> Result<Option<String>> {
        match self.get(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(value) => Err(Error::config(field, format!("is {}, must be a string", truncated(value)))),
        }
    }

    pub(super) fn epsilon(&self, field: &str, default: f32) -> Result<f32> {
        match self.0.get(field) {
            None => Ok(default),
            Some(value) => match value.as_f64() {
                Some(number) if (0.0..1.0).contains(&number) => Ok(number as f32),
                _ => Err(Error::config(
                    field,
                    format!("is {}, must be a number from 0 to below 1", truncated(value)),
                )),
            },
        }
    }

    pub(super) fn activation(&self, field: &str, default: &str) -> Result<Activation> {
        let name = self.text(field)?.unwrap_or_else(|| default.into());
        activation_of(&name).ok_or_else(|| {
            Error::unsupported(
                format!("{FILE}: `{field}` {name:?}"),
                "relu, gelu, gelu_new (and its other names), tanh, silu, swish and linear are",
            )
        })
    }

    pub(super) fn first_architecture(&self) -> Result<Option<String>> {
        match self.get("architectures") {
            None => Ok(None),
            Some(Value::Array(names)) => match names.first() {
                None => Ok(None),
                Some(Value::String(name)) => Ok(Some(name.clone())),
                Some(value) => Err(Error::config(
                    "architectures",
                    format!("contains {}, must contain class names", truncated(value)),
                )),
            },
            Some(value) => {
                Err(Error::config("architectures", format!("is {}, must be a list", truncated(value))))
            }
        }
    }

    pub(super) fn problem_type(&self) -> Result<Option<ProblemType>> {
        Ok(match self.text("problem_type")?.as_deref() {
            None => None,
            Some("regression") => Some(ProblemType::Regression),
            Some("single_label_classification") => Some(ProblemType::SingleLabel),
            Some("multi_label_classification") => Some(ProblemType::MultiLabel),
            Some(other) => {
                return Err(Error::config(
                    "problem_type",
                    format!(
                        "is {other:?}, must be regression, single_label_classification or multi_label_classification"
                    ),
                ));
            }
        })
    }

    /// The name of a cross-encoder's score activation, as saved by `sentence_transformers`, including
    /// versions before 4.
    pub(super) fn activation_fn(&self) -> Result<Option<String>> {
        match self.get("sentence_transformers") {
            Some(Value::Object(settings)) if settings.contains_key("activation_fn") => {
                Fields(settings.clone()).text("activation_fn")
            }
            _ => self.text("sbert_ce_default_activation_function"),
        }
    }

    /// `id2label` in the order of its keys; without it, `num_labels` generated names; without either, two.
    /// Gaps between the keys are filled with generated names.
    pub(super) fn labels(&self) -> Result<Vec<String>> {
        let generated = |index: u64| format!("LABEL_{index}");
        let Some(value) = self.get("id2label") else {
            let count = match self.get("num_labels") {
                None => 2,
                Some(_) => self.integer("num_labels", 2, 1, MAX_LABELS)?,
            };
            return Ok((0..count).map(generated).collect());
        };
        let Value::Object(entries) = value else {
            return Err(Error::config("id2label", format!("is {}, must be an object", truncated(value))));
        };
        let mut names = BTreeMap::new();
        for (key, value) in entries {
            let index = key.parse().ok().filter(|index: &u64| *index < MAX_LABELS);
            let index = index.ok_or_else(|| {
                let key = truncated(&Value::String(key.clone()));
                let problem = format!("has key {key}, must have integers from 0 to {}", MAX_LABELS - 1);
                Error::config("id2label", problem)
            })?;
            let name = match value {
                Value::String(name) => name.clone(),
                other => other.to_string(),
            };
            names.insert(index, name);
        }
        let Some((&last, _)) = names.last_key_value() else {
            return Err(Error::config("id2label", "is empty, must have at least one label"));
        };
        Ok((0..=last).map(|index| names.remove(&index).unwrap_or_else(|| generated(index))).collect())
    }
}

/// The JSON with `NaN`, `Infinity` and `-Infinity`, which Python writes, turned into strings; `None` if there
/// are none. Numeric fields that are read still have to be numbers.
fn quote_non_finite(json: &[u8]) -> Option<Vec<u8>> {
    const WORDS: [&[u8]; 3] = [b"NaN", b"Infinity", b"-Infinity"];
    let mut quoted = Vec::with_capacity(json.len() + 16);
    let (mut in_string, mut found) = (false, false);
    let mut rest = json;
    while let Some((&byte, behind)) = rest.split_first() {
        if let Some(word) = WORDS.iter().find(|word| !in_string && rest.starts_with(word)) {
            quoted.extend([b"\"", *word, b"\""].concat());
            found = true;
            rest = &rest[word.len()..];
            continue;
        }
        quoted.push(byte);
        rest = behind;
        match (byte, rest.split_first()) {
            (b'\\', Some((&escaped, behind))) if in_string => {
                quoted.push(escaped);
                rest = behind;
            }
            (b'"', _) => in_string = !in_string,
            _ => {}
        }
    }
    found.then_some(quoted)
}

/// A value, truncated for a message.
fn truncated(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
