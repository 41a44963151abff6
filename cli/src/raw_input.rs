//! The input of `run`: ids as nested JSON arrays, whose shapes are checked before anything is computed.

use mobilebert::config::Head;
use mobilebert::error::{Error, Result};
use serde::Deserialize;
use serde_json::Value;

/// Token ids with token types and masks, of shape `[batch, sequence]` or `[batch, choices, sequence]`, flattened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawInput {
    /// `[batch, sequence]` or `[batch, choices, sequence]`.
    pub shape: Vec<usize>,
    /// Row-major ids.
    pub input_ids: Vec<u32>,
    /// Row-major; zeros if the file has none.
    pub token_type_ids: Vec<u32>,
    /// Row-major; ones if the file has none.
    pub attention_mask: Vec<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    input_ids: Value,
    token_type_ids: Option<Value>,
    attention_mask: Option<Value>,
}

/// A nested array of small integers.
struct Array {
    shape: Vec<usize>,
    values: Vec<u32>,
}

impl RawInput {
    /// Parses the content of an input file; `file` is its name for error messages.
    pub fn parse(file: &str, text: &str) -> Result<Self> {
        let text = text.trim_start_matches('\u{feff}');
        if !text.trim_start().starts_with('{') {
            return Err(Error::corrupt(file, "isn't a JSON object; {\"input_ids\": [[…]]} is expected"));
        }
        let fields: Fields =
            serde_json::from_str(text).map_err(|error| Error::corrupt(file, error.to_string()))?;
        let ids = Array::parse("input_ids", &fields.input_ids)?;
        if !(2..=3).contains(&ids.shape.len()) {
            return Err(Error::invalid_input(
                "input_ids",
                format!(
                    "{} dimensions; [batch, sequence] or, for multiple choice, [batch, choices, sequence] is expected",
                    ids.shape.len()
                ),
            ));
        }
        let like_ids = |name: &str, value: Option<Value>, default: u32| match value {
            None => Ok(vec![default; ids.values.len()]),
            Some(value) => Array::parse(name, &value)?.of_shape(name, &ids.shape),
        };
        let token_type_ids = like_ids("token_type_ids", fields.token_type_ids, 0)?;
        let attention_mask = like_ids("attention_mask", fields.attention_mask, 1)?;
        if let Some(at) = attention_mask.iter().position(|&mask| mask > 1) {
            let problem = format!("{} at {}; 0 or 1 is expected", attention_mask[at], place(at, &ids.shape));
            return Err(Error::invalid_input("attention_mask", problem));
        }
        Ok(RawInput { shape: ids.shape, input_ids: ids.values, token_type_ids, attention_mask })
    }

    /// Checks that the input has a dimension for choices if and only if the model is a multiple-choice model.
    pub fn check_choices(&self, head: Head) -> Result<()> {
        let (expected, form) = match head {
            Head::MultipleChoice => (3, "[batch, choices, sequence]"),
            _ => (2, "[batch, sequence]"),
        };
        if self.shape.len() == expected {
            return Ok(());
        }
        Err(Error::invalid_input("input_ids", format!("shape {:?}; this model takes {form}", self.shape)))
    }

    /// Tokens per sequence.
    pub fn sequence(&self) -> usize {
        self.shape[self.shape.len() - 1]
    }
}

impl Array {
    fn parse(name: &str, value: &Value) -> Result<Array> {
        let mut array = Array { shape: shape(value), values: Vec::new() };
        if array.shape.contains(&0) {
            return Err(Error::invalid_input(name, "an empty array; at least one token is needed"));
        }
        array.append(name, value, 0)?;
        Ok(array)
    }

    /// Walks `value`. All arrays at the same `depth` must have the same length.
    fn append(&mut self, name: &str, value: &Value, depth: usize) -> Result<()> {
        match (self.shape.get(depth), value) {
            (Some(&size), Value::Array(items)) if items.len() == size => {
                items.iter().try_for_each(|item| self.append(name, item, depth + 1))
            }
            (Some(&size), Value::Array(items)) => Err(Error::invalid_input(
                name,
                format!(
                    "ragged: an array of {} where others have {size}; pad them to one length and mask the padding",
                    items.len()
                ),
            )),
            (None, value) => {
                let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
                self.values.push(number.ok_or_else(|| not_an_integer(name, value, self.values.len()))?);
                Ok(())
            }
            (Some(_), value) => {
                Err(Error::invalid_input(name, format!("{} where an array is expected", kind(value))))
            }
        }
    }

    fn of_shape(self, name: &str, shape: &[usize]) -> Result<Vec<u32>> {
        if self.shape != shape {
            return Err(Error::invalid_input(
                name,
                format!("shape {:?}, but input_ids has {shape:?}", self.shape),
            ));
        }
        Ok(self.values)
    }
}

/// Length of the first array at each depth.
fn shape(value: &Value) -> Vec<usize> {
    let mut shape = Vec::new();
    let mut value = Some(value);
    while let Some(Value::Array(items)) = value {
        shape.push(items.len());
        value = items.first();
    }
    shape
}

/// Formats a flat index as, for example, `[1, 7]`.
pub fn place(mut index: usize, shape: &[usize]) -> String {
    let mut place = vec![0; shape.len()];
    for (axis, &size) in shape.iter().enumerate().rev() {
        place[axis] = index % size;
        index /= size;
    }
    format!("{place:?}")
}

fn not_an_integer(name: &str, value: &Value, position: usize) -> Error {
    let problem = format!("{} as value {position}; integers from 0 to 4294967295 are expected", kind(value));
    Error::invalid_input(name, problem)
}

fn kind(value: &Value) -> String {
    match value {
        Value::Array(_) => "an array".into(),
        Value::Object(_) => "an object".into(),
        Value::String(_) => "a string".into(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        RawInput::parse("input.json", text).unwrap_err().to_string()
    }

    #[test]
    fn types_and_mask_have_defaults() {
        let input = RawInput::parse("input.json", r#"{"input_ids": [[1, 2], [3, 4]]}"#).unwrap();
        assert_eq!((input.shape, input.input_ids), (vec![2, 2], vec![1, 2, 3, 4]));
        assert_eq!((input.token_type_ids, input.attention_mask), (vec![0; 4], vec![1; 4]));
    }

    #[test]
    fn choices_are_a_third_dimension() {
        let input = RawInput::parse(
            "input.json",
            r#"{"input_ids": [[[1], [2], [3]]], "attention_mask": [[[1], [0], [1]]]}"#,
        )
        .unwrap();
        assert_eq!((input.shape.as_slice(), input.sequence()), ([1, 3, 1].as_slice(), 1));
        assert_eq!(input.attention_mask, [1, 0, 1]);
    }

    #[test]
    fn only_a_multiple_choice_model_takes_choices() {
        let flat = RawInput::parse("input.json", r#"{"input_ids": [[1]]}"#).unwrap();
        let choices = RawInput::parse("input.json", r#"{"input_ids": [[[1]]]}"#).unwrap();
        assert!(
            flat.check_choices(Head::Encoder).is_ok() && choices.check_choices(Head::MultipleChoice).is_ok()
        );
        assert!(
            flat.check_choices(Head::MultipleChoice).is_err()
                && choices.check_choices(Head::Encoder).is_err()
        );
    }

    #[test]
    fn errors_name_what_is_wrong() {
        assert!(message(r#"{"token_type_ids": [[0]]}"#).contains("missing field `input_ids`"));
        assert!(
            message(r#"{"input_ids": [[1, 2], [3]]}"#).contains("ragged: an array of 1 where others have 2")
        );
        assert!(message(r#"{"input_ids": [[1.5]]}"#).contains("`input_ids`: 1.5 as value 0"));
        assert!(message(r#"{"input_ids": [[1, -1]]}"#).contains("-1 as value 1"));
        assert!(message(r#"{"input_ids": [[1, null]]}"#).contains("null as value 1"));
        assert!(message(r#"{"input_ids": [1, 2]}"#).contains("1 dimensions"));
        assert!(message(r#"{"input_ids": 5}"#).contains("0 dimensions"));
        assert!(message(r#"{"input_ids": [[]]}"#).contains("an empty array"));
        assert!(message(r#"{"input_ids": []}"#).contains("an empty array"));
        assert!(message(r#"{"input_ids": [[1], 2]}"#).contains("2 where an array is expected"));
        assert!(message(r#"{"input_ids": [[1, [2]]]}"#).contains("an array as value 1"));
        assert!(
            message(r#"{"input_ids": [[1]], "token_type_ids": [[0, 0]]}"#)
                .contains("shape [1, 2], but input_ids has [1, 1]")
        );
        assert!(message(r#"{"input_ids": [[1, 1]], "attention_mask": [[0, 2]]}"#).contains("2 at [0, 1]"));
        assert!(message(r#"{"input_ids": [[1]], "mask": [[0]]}"#).contains("unknown field `mask`"));
        assert!(message("{").contains("EOF"));
    }

    #[test]
    fn indices_count_from_the_last_axis() {
        assert_eq!(place(5, &[2, 3]), "[1, 2]");
        assert_eq!(place(0, &[1, 1, 4]), "[0, 0, 0]");
    }
}
