//! Vectors → their similarity, and nearest neighbors.

use serde::Serialize;

use super::ranking::largest;
use crate::error::{Error, Result};

/// A vector of a corpus that is similar to a query.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Hit {
    /// Index in the corpus.
    pub index: usize,
    /// Cosine similarity, −1 to 1.
    pub score: f64,
}

/// The cosine of the angle between two vectors, −1 to 1; 0 if one is zero.
///
/// # Errors
/// [`Error::InvalidInput`] if their lengths differ, or for NaN or infinite values.
pub fn cosine(a: &[f32], b: &[f32]) -> Result<f64> {
    if a.len() != b.len() {
        let problem = format!("has {} dimensions, the other vector {}", b.len(), a.len());
        return Err(Error::invalid_input("vectors", problem));
    }
    let (mut dot, mut a_squared, mut b_squared) = (0.0, 0.0, 0.0);
    for (&a, &b) in a.iter().zip(b) {
        let (a, b) = (f64::from(a), f64::from(b));
        dot += a * b;
        a_squared += a * a;
        b_squared += b * b;
    }
    let lengths = a_squared.sqrt() * b_squared.sqrt();
    if !lengths.is_finite() {
        return Err(Error::invalid_input("vectors", "have NaN or infinite values"));
    }
    Ok(if lengths > 0.0 { (dot / lengths).clamp(-1.0, 1.0) } else { 0.0 })
}

/// The `top_k` vectors of `corpus` that are most similar to `query`, best first; ties in order.
///
/// # Errors
/// Same as [`cosine`], with the vector's index in the message; also for an empty corpus.
pub fn nearest<V: AsRef<[f32]>>(query: &[f32], corpus: &[V], top_k: usize) -> Result<Vec<Hit>> {
    if corpus.is_empty() {
        return Err(Error::invalid_input("corpus", "is empty; at least one vector is needed"));
    }
    let score = |(index, vector): (usize, &V)| {
        cosine(query, vector.as_ref()).map_err(|error| match error {
            Error::InvalidInput { problem, .. } => {
                Error::invalid_input("corpus", format!("vector {index} {problem}"))
            }
            other => other,
        })
    };
    let scores = corpus.iter().enumerate().map(score).collect::<Result<Vec<f64>>>()?;
    Ok(largest(&scores, top_k).into_iter().map(|(index, score)| Hit { index, score }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosines_are_within_their_bounds_and_never_nan() {
        assert_eq!(cosine(&[1.0, 0.0], &[0.0, 2.0]).unwrap(), 0.0);
        assert_eq!(cosine(&[3e20, 4e20], &[6e20, 8e20]).unwrap(), 1.0);
        assert_eq!(cosine(&[0.1, 0.2, 0.3], &[-0.1, -0.2, -0.3]).unwrap(), -1.0);
        assert_eq!(cosine(&[0.0, 0.0], &[1.0, 1.0]).unwrap(), 0.0);
        assert_eq!(cosine(&[1e-30], &[1e-30]).unwrap(), 1.0);
    }

    #[test]
    fn the_nearest_come_first() {
        let corpus = [[0.0, 1.0], [2.0, 2.0], [-1.0, 0.0], [5.0, 5.0]];
        let found: Vec<usize> =
            nearest(&[1.0, 1.0], &corpus, 3).unwrap().iter().map(|hit| hit.index).collect();
        assert_eq!(found, [1, 3, 0]);
        nearest(&[1.0], &[] as &[Vec<f32>], 3).unwrap_err();
    }

    #[test]
    fn a_vector_that_does_not_fit_is_named() {
        let error = nearest(&[1.0, 1.0], &[vec![0.0, 1.0], vec![1.0]], 1).unwrap_err().to_string();
        assert!(
            ["`corpus`", "vector 1", "1 dimensions", "2"].iter().all(|word| error.contains(word)),
            "{error}"
        );
        let error = nearest(&[1.0], &[[f32::NAN]], 1).unwrap_err().to_string();
        assert!(error.contains("vector 0") && error.contains("NaN"), "{error}");
    }
}
