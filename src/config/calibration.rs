//! Temperature and thresholds that turn scores into decisions: `calibration` in `config.json`, fitted on
//! held-out rows.

use serde_json::Value;

use super::fields::Fields;
use crate::error::{Error, Result};

/// Temperature and thresholds for a model's scores. The default changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// `temperature`: divides the logits before a softmax over labels, or over the spans of a text.
    pub temperature: f64,
    /// `null_bias`: added to the null score, after the division, before that softmax.
    pub null_bias: f64,
    /// `null_threshold`: a question counts as unanswerable if its null score exceeds its best answer's by
    /// more than this. `None`: if "no answer" is more probable than the best answer.
    pub null_threshold: Option<f64>,
    /// `unsure_below`: an answer with a lower probability is only a guess.
    pub unsure_below: f64,
    /// `neutral`: with two labels, the range of the second one's probability in which a text counts as
    /// neutral.
    pub neutral: Option<(f64, f64)>,
}

impl Default for Calibration {
    fn default() -> Self {
        Calibration {
            temperature: 1.0,
            null_bias: 0.0,
            null_threshold: None,
            unsure_below: 0.0,
            neutral: None,
        }
    }
}

impl Calibration {
    /// Reads the object `calibration`, if there is one. Unknown keys are ignored.
    ///
    /// # Errors
    /// [`Error::Config`] for a value out of range.
    pub(super) fn read(fields: &Fields) -> Result<Self> {
        let default = Calibration::default();
        let Some(fields) = fields.object("calibration")? else { return Ok(default) };
        let temperature = number(&fields, "temperature")?.unwrap_or(default.temperature);
        if !(1e-3..=1e3).contains(&temperature) {
            return Err(refused("temperature", &temperature, "a number from 0.001 to 1000"));
        }
        let unsure_below = number(&fields, "unsure_below")?.unwrap_or(default.unsure_below);
        if !(0.0..=1.0).contains(&unsure_below) {
            return Err(refused("unsure_below", &unsure_below, "a probability"));
        }
        Ok(Calibration {
            temperature,
            null_bias: number(&fields, "null_bias")?.unwrap_or(default.null_bias),
            null_threshold: number(&fields, "null_threshold")?,
            unsure_below,
            neutral: neutral(fields.get("neutral"))?,
        })
    }
}

fn number(fields: &Fields, field: &str) -> Result<Option<f64>> {
    let Some(value) = fields.get(field) else { return Ok(None) };
    value.as_f64().map(Some).ok_or_else(|| refused(field, value, "a number"))
}

fn neutral(value: Option<&Value>) -> Result<Option<(f64, f64)>> {
    let Some(value) = value else { return Ok(None) };
    let ends: Option<Vec<f64>> = value.as_array().and_then(|ends| ends.iter().map(Value::as_f64).collect());
    match ends.as_deref() {
        Some(&[low, high]) if 0.0 <= low && low <= high && high <= 1.0 => Ok(Some((low, high))),
        _ => Err(refused("neutral", value, "two probabilities, the smaller one first")),
    }
}

fn refused(field: &str, value: &dyn std::fmt::Display, wanted: &str) -> Error {
    Error::config(format!("calibration.{field}"), format!("is {value}, must be {wanted}"))
}
