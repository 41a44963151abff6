//! Logits of a sequence-classification head → labels with probabilities.

use serde::Serialize;

use super::ranking::{check_finite, ranked, softmax};
use crate::config::ScoreActivation;
use crate::error::{Error, Result};

/// How a head's logits are interpreted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Exactly one label applies: softmax.
    SingleLabel,
    /// Labels are independent: sigmoid.
    MultiLabel,
    /// The logits are the values.
    Regression,
    /// The single logit is a score before its activation.
    Score(ScoreActivation),
}

/// A label and its probability.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Label {
    /// Its name in `config.json`'s `id2label`.
    pub label: String,
    /// Between 0 and 1; for [`Problem::Regression`] the raw output, for [`Problem::Score`] the score.
    pub probability: f64,
    /// The raw output of a head with a single output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logit: Option<f64>,
}

/// All labels with their probabilities, largest first; ties in the head's order.
///
/// # Errors
/// [`Error::Internal`] unless there is one name per logit, [`Error::Tensor`] for NaN or infinite logits.
pub fn labels(logits: &[f32], names: &[String], problem: Problem) -> Result<Vec<Label>> {
    if logits.len() != names.len() {
        let problem = format!("{} logits for {} labels", logits.len(), names.len());
        return Err(Error::internal("classification", problem));
    }
    check_finite("logits", logits)?;
    let probabilities = match problem {
        Problem::SingleLabel => softmax(logits),
        Problem::MultiLabel => logits.iter().map(|&logit| sigmoid(f64::from(logit))).collect(),
        Problem::Regression => logits.iter().map(|&logit| f64::from(logit)).collect(),
        Problem::Score(activation) => {
            logits.iter().map(|&logit| score(f64::from(logit), activation)).collect()
        }
    };
    let logit = if let [logit] = logits { Some(f64::from(*logit)) } else { None };
    let label =
        |(index, probability): (usize, f64)| Label { label: names[index].clone(), probability, logit };
    Ok(ranked(&probabilities).into_iter().map(label).collect())
}

/// Applies the activation to a logit.
pub(super) fn score(logit: f64, activation: ScoreActivation) -> f64 {
    match activation {
        ScoreActivation::Sigmoid => sigmoid(logit),
        ScoreActivation::Identity => logit,
        ScoreActivation::Tanh => logit.tanh(),
    }
}

/// 1 / (1 + exp(−x)) without overflow.
fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn probabilities_are_a_softmax() {
        let labels = labels(&[0.0, 3f32.ln(), 0.0], &names(&["a", "b", "c"]), Problem::SingleLabel).unwrap();
        let found: Vec<(&str, f64)> =
            labels.iter().map(|l| (l.label.as_str(), (l.probability * 1e6).round() / 1e6)).collect();
        assert_eq!(found, [("b", 0.6), ("a", 0.2), ("c", 0.2)]);
    }

    #[test]
    fn huge_logits_give_valid_probabilities() {
        for problem in [Problem::SingleLabel, Problem::MultiLabel] {
            let labels = labels(&[2.5e7, -2.5e7], &names(&["yes", "no"]), problem).unwrap();
            assert_eq!((labels[0].probability, labels[1].probability), (1.0, 0.0));
        }
    }

    #[test]
    fn labels_of_a_multi_label_head_are_independent() {
        let labels = labels(&[3f32.ln(), 3f32.ln()], &names(&["a", "b"]), Problem::MultiLabel).unwrap();
        assert!(labels.iter().all(|label| (label.probability - 0.75).abs() < 1e-7), "{labels:?}");
    }

    #[test]
    fn regression_gives_raw_logits() {
        let labels = labels(&[-1.5], &names(&["score"]), Problem::Regression).unwrap();
        assert_eq!(labels, [Label { label: "score".into(), probability: -1.5, logit: Some(-1.5) }]);
    }

    #[test]
    fn a_single_score_has_its_logit_and_is_neither_always_one_nor_negative() {
        let of = |activation| {
            let labels = labels(&[-(3f32.ln())], &names(&["relevant"]), Problem::Score(activation)).unwrap();
            let logit = labels[0].logit.unwrap();
            assert!((logit + 3f64.ln()).abs() < 1e-6, "{logit}");
            (labels[0].probability * 1e6).round() / 1e6
        };
        assert_eq!(of(ScoreActivation::Sigmoid), 0.25);
        assert_eq!(of(ScoreActivation::Tanh), -0.8);
        assert_eq!(of(ScoreActivation::Identity), -1.098612);
    }

    #[test]
    fn damaged_logits_are_an_error() {
        let error = labels(&[0.0, f32::NAN], &names(&["a", "b"]), Problem::SingleLabel).unwrap_err();
        assert!(error.to_string().contains("logits"), "{error}");
        labels(&[0.0], &names(&["a", "b"]), Problem::SingleLabel).unwrap_err();
    }
}
