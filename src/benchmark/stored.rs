//! Stored logits, and the comparison of a run with them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::session::Outputs;

/// `logits.json`: the outputs of `transformers` in float64 for the paper's variants over the fixed ids.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    /// Seed of the weights.
    pub seed: u64,
    /// The largest allowed |Δ| over the row's root mean square.
    pub allowed: f64,
    /// By variant name and number of tokens.
    variants: BTreeMap<String, BTreeMap<usize, Logits>>,
}

/// The outputs of one run, by name.
pub type Logits = BTreeMap<String, Sample>;

/// Some values of one output, flattened into one row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// Indices into the row.
    pub places: Vec<usize>,
    /// The values there.
    pub values: Vec<f64>,
    /// Root mean square of the whole row.
    pub rms: f64,
}

/// The difference between a run and the stored logits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Check {
    /// True if the difference is within the allowed one.
    pub right: bool,
    /// The largest |Δ| over the row's root mean square; infinite if a value is missing or NaN.
    #[serde(serialize_with = "finite")]
    pub difference: f64,
    /// The largest allowed difference.
    pub allowed: f64,
}

impl Stored {
    /// Parses the file.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if it isn't such a file.
    pub fn parse(json: &str) -> Result<Stored> {
        serde_json::from_str(json).map_err(|error| Error::corrupt("logits.json", error.to_string()))
    }

    /// The logits of a variant at a length, if they are stored.
    pub fn get(&self, variant: &str, sequence: usize) -> Option<&Logits> {
        self.variants.get(variant)?.get(&sequence)
    }
}

impl Check {
    /// Compares a run with the stored logits.
    pub fn of(outputs: &Outputs, stored: &Logits, allowed: f64) -> Check {
        let differences = stored.iter().map(|(name, sample)| match outputs.get(name) {
            Some(tensor) => sample.difference(&tensor.data),
            None => f64::INFINITY,
        });
        // Without stored values, nothing was checked.
        let difference = differences.reduce(f64::max).unwrap_or(f64::INFINITY);
        Check { right: difference <= allowed, difference, allowed }
    }
}

impl Sample {
    /// All values of a row.
    pub fn whole(row: &[f32]) -> Self {
        let values: Vec<f64> = row.iter().map(|value| f64::from(*value)).collect();
        let mean = values.iter().map(|value| value.powi(2)).sum::<f64>() / row.len().max(1) as f64;
        Sample { places: (0..row.len()).collect(), values, rms: mean.sqrt() }
    }

    /// The largest |Δ| of the values and of the row's root mean square, relative to the latter.
    fn difference(&self, row: &[f32]) -> f64 {
        if self.places.is_empty() || self.places.len() != self.values.len() {
            return f64::INFINITY;
        }
        let mean = row.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>() / row.len() as f64;
        let at = |place: &usize| row.get(*place).map_or(f64::NAN, |value| f64::from(*value));
        let pairs = self.places.iter().map(at).zip(self.values.iter().copied());
        let mut largest = 0.0;
        for (found, stored) in pairs.chain([(mean.sqrt(), self.rms)]) {
            let difference = (found - stored).abs() / self.rms;
            // NaN is never right.
            if difference.is_nan() {
                return f64::INFINITY;
            }
            largest = f64::max(largest, difference);
        }
        largest
    }
}

/// JSON has no infinity.
fn finite<S: serde::Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.is_finite() { serializer.serialize_f64(*value) } else { serializer.serialize_none() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Sample {
        Sample { places: vec![0, 2], values: vec![3.0, -4.0], rms: (25f64 / 3.0).sqrt() }
    }

    #[test]
    fn the_stored_row_is_right() {
        assert!(sample().difference(&[3.0, 0.0, -4.0]) < 1e-12);
    }

    #[test]
    fn a_wrong_value_a_wrong_row_nan_and_a_short_row_are_detected() {
        assert!(sample().difference(&[3.01, 0.0, -4.0]) > 1e-3);
        // Between the stored indices, only the root mean square shows a difference.
        assert!(sample().difference(&[3.0, 1.0, -4.0]) > 1e-3);
        assert_eq!(sample().difference(&[3.0, f32::NAN, -4.0]), f64::INFINITY);
        assert_eq!(sample().difference(&[3.0, 0.0]), f64::INFINITY);
        assert_eq!(Sample { places: vec![], ..sample() }.difference(&[3.0]), f64::INFINITY);
    }

    #[test]
    fn a_missing_output_or_one_that_is_not_stored_is_not_right() {
        let stored = Logits::from([("logits".to_owned(), sample())]);
        assert!(!Check::of(&Outputs::default(), &stored, 1e-3).right);
        assert!(!Check::of(&Outputs::default(), &Logits::new(), 1e-3).right);
    }
}
