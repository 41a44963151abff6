//! `--calibration`: the calibration error of a model's probabilities, without and with the calibration in its
//! `config.json`.

use mobilebert::task::metrics::expected_calibration_error;
use serde::Serialize;

/// Predictions without and with a calibration.
#[derive(Default)]
pub struct Predictions {
    /// The probability without and with it, and whether the prediction is right.
    said: Vec<([f64; 2], bool)>,
}

/// The error without and with a calibration, between 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CalibrationErrors {
    calibration_error_plain: f64,
    calibration_error_calibrated: f64,
}

impl Predictions {
    /// Adds a prediction with its probability without and with the calibration.
    pub fn add(&mut self, probabilities: [f64; 2], is_right: bool) {
        self.said.push((probabilities, is_right));
    }

    /// The errors of all predictions.
    pub fn errors(&self) -> CalibrationErrors {
        let at = |index: usize| self.said.iter().map(move |(said, is_right)| (said[index], *is_right));
        let error = |index| expected_calibration_error(at(index));
        CalibrationErrors { calibration_error_plain: error(0), calibration_error_calibrated: error(1) }
    }
}

/// Scores with the calibration errors, if requested.
#[derive(Serialize)]
pub struct WithErrors<S> {
    #[serde(flatten)]
    pub scores: S,
    #[serde(flatten)]
    pub errors: Option<CalibrationErrors>,
}
