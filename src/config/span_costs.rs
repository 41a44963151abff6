//! The costs of an answer's length: `span_costs` in `config.json`.

use super::fields::Fields;
use crate::error::{Error, Result};

/// What a span loses from its score for its length. The default costs nothing, as in BERT.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SpanCosts {
    /// `token`: for each token after the first.
    pub token: f64,
    /// `sentence`: for each end of a sentence or of a line inside the span, and each colon before a space.
    pub sentence: f64,
}

impl SpanCosts {
    /// Reads the object `span_costs`, if there is one. Unknown keys are ignored.
    ///
    /// # Errors
    /// [`Error::Config`] for a value out of range.
    pub(super) fn read(fields: &Fields) -> Result<Self> {
        let Some(fields) = fields.object("span_costs")? else { return Ok(SpanCosts::default()) };
        Ok(SpanCosts { token: cost(&fields, "token")?, sentence: cost(&fields, "sentence")? })
    }
}

/// A number from 0 to 100: the sum of the costs of 512 tokens then rounds their logits by at most 0.004.
fn cost(fields: &Fields, field: &str) -> Result<f64> {
    let Some(value) = fields.get(field) else { return Ok(0.0) };
    value.as_f64().filter(|cost| (0.0..=100.0).contains(cost)).ok_or_else(|| {
        Error::config(format!("span_costs.{field}"), format!("is {value}, must be a number from 0 to 100"))
    })
}
