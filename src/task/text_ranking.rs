//! One logit per document, from a cross-encoder → documents ranked by relevance.

use serde::Serialize;

use super::classification::score;
use super::ranking::{check_finite, largest};
use crate::config::ScoreActivation;
use crate::error::Result;

/// A document's index in the caller's list, and its relevance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RankedDocument {
    /// Index among the documents.
    pub index: usize,
    /// `logit` after the activation: 0 to 1 for a sigmoid, any number without one.
    pub score: f64,
    /// The head's output.
    pub logit: f64,
}

/// The `top_k` most relevant documents, or all, best first; ties in the documents' order. Compares logits,
/// because scores may be rounded to 1.
///
/// # Errors
/// [`Error::Tensor`](crate::error::Error) for NaN or infinite logits.
pub fn ranked(
    logits: &[f32],
    activation: ScoreActivation,
    top_k: Option<usize>,
) -> Result<Vec<RankedDocument>> {
    check_finite("logits", logits)?;
    let logits: Vec<f64> = logits.iter().map(|&logit| f64::from(logit)).collect();
    let best = largest(&logits, top_k.unwrap_or(logits.len()));
    let document = |(index, logit)| RankedDocument { index, score: score(logit, activation), logit };
    Ok(best.into_iter().map(document).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_documents_come_first_with_their_activated_scores() {
        let logits = [0.0, 3f32.ln(), -1.0, 3f32.ln()];
        let found = |activation, top_k| -> Vec<(usize, f64)> {
            let ranked = ranked(&logits, activation, top_k).unwrap();
            ranked.iter().map(|document| (document.index, (document.score * 1e4).round() / 1e4)).collect()
        };
        assert_eq!(found(ScoreActivation::Sigmoid, Some(3)), [(1, 0.75), (3, 0.75), (0, 0.5)]);
        assert_eq!(found(ScoreActivation::Identity, None), [(1, 1.0986), (3, 1.0986), (0, 0.0), (2, -1.0)]);
        assert_eq!(found(ScoreActivation::Tanh, Some(1)), [(1, 0.8)]);
    }

    #[test]
    fn documents_whose_scores_are_rounded_to_one_keep_their_order() {
        let ranked = ranked(&[50.0, 60.0], ScoreActivation::Sigmoid, None).unwrap();
        assert_eq!(
            ranked.iter().map(|document| (document.index, document.score)).collect::<Vec<_>>(),
            [(1, 1.0), (0, 1.0)]
        );
    }

    #[test]
    fn damaged_logits_are_an_error() {
        ranked(&[0.0, f32::NAN], ScoreActivation::Identity, None).unwrap_err();
    }
}
