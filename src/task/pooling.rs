//! Token vectors → one vector per text, as in sentence-transformers.

use super::ranking::check_finite;
use crate::error::{Error, Result};

/// How token vectors, including those of `[CLS]` and `[SEP]`, are combined into one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// The vector of `[CLS]`.
    Cls,
    /// The largest value of each component.
    Max,
    /// The mean.
    Mean,
    /// The sum divided by the square root of the number of tokens.
    MeanSqrtLen,
    /// The mean weighted by the tokens' positions, from 1.
    WeightedMean,
    /// The vector of the last token.
    LastToken,
}

impl Pooling {
    /// All, in the order in which sentence-transformers concatenates them.
    pub const ALL: [Pooling; 6] = [
        Pooling::Cls,
        Pooling::Max,
        Pooling::Mean,
        Pooling::MeanSqrtLen,
        Pooling::WeightedMean,
        Pooling::LastToken,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Pooling::Cls => "cls",
            Pooling::Max => "max",
            Pooling::Mean => "mean",
            Pooling::MeanSqrtLen => "mean_sqrt_len",
            Pooling::WeightedMean => "weightedmean",
            Pooling::LastToken => "lasttoken",
        }
    }

    /// Pools `hidden`, `[tokens, width]` in row-major order, without padding. Sums are in f64.
    ///
    /// # Errors
    /// [`Error::Internal`] unless there is at least one token and all rows are complete.
    pub fn pool(self, hidden: &[f32], width: usize) -> Result<Vec<f32>> {
        if width == 0 || hidden.is_empty() || !hidden.len().is_multiple_of(width) {
            let problem = format!("{} values for tokens of width {width}", hidden.len());
            return Err(Error::internal("pooling", problem));
        }
        let tokens = hidden.len() / width;
        let count = tokens as f64;
        Ok(match self {
            Pooling::Cls => hidden[..width].to_vec(),
            Pooling::LastToken => hidden[hidden.len() - width..].to_vec(),
            Pooling::Max => {
                let mut largest = hidden[..width].to_vec();
                for row in hidden.chunks_exact(width) {
                    largest.iter_mut().zip(row).for_each(|(most, &value)| *most = most.max(value));
                }
                largest
            }
            Pooling::Mean => weighted_sum(hidden, width, |_| 1.0 / count),
            Pooling::MeanSqrtLen => weighted_sum(hidden, width, |_| 1.0 / count.sqrt()),
            Pooling::WeightedMean => {
                weighted_sum(hidden, width, |index| 2.0 * (index + 1) as f64 / (count * (count + 1.0)))
            }
        })
    }
}

/// Checks the vectors of a text's tokens.
///
/// # Errors
/// [`Error::Tensor`] for NaN or infinite values.
pub fn check(hidden: &[f32]) -> Result<()> {
    check_finite("last_hidden_state", hidden)
}

/// The weighted sum of the rows.
fn weighted_sum(hidden: &[f32], width: usize, weight: impl Fn(usize) -> f64) -> Vec<f32> {
    let mut sums = vec![0f64; width];
    for (index, row) in hidden.chunks_exact(width).enumerate() {
        let weight = weight(index);
        sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += weight * f64::from(value));
    }
    sums.iter().map(|&sum| sum as f32).collect()
}

/// Scales `vector` to length 1; a vector of zeros stays unchanged.
pub fn normalize(vector: &mut [f32]) {
    let length = vector.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|value| *value = (f64::from(*value) / length) as f32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_pool_is_that_of_its_definition() {
        let hidden = [1.0, 2.0, 3.0, 8.0, -4.0, -1.0, 2.0, 3.0];
        let expected: [[f32; 2]; 6] =
            [[1.0, 2.0], [3.0, 8.0], [0.5, 3.0], [1.0, 6.0], [0.3, 2.7], [2.0, 3.0]];
        for (pooling, expected) in Pooling::ALL.into_iter().zip(expected) {
            assert_eq!(pooling.pool(&hidden, 2).unwrap(), expected, "{}", pooling.name());
            assert_eq!(pooling.pool(&hidden[..2], 2).unwrap(), [1.0, 2.0], "one token: {}", pooling.name());
        }
    }

    #[test]
    fn large_values_do_not_lose_small_ones() {
        let hidden = [2.5e7, 1.0, -2.5e7, 3.0];
        assert_eq!(Pooling::Mean.pool(&hidden, 1).unwrap(), [1.0]);
    }

    #[test]
    fn no_tokens_and_wrong_lengths_are_errors() {
        for (hidden, width) in [(&[][..], 2), (&[1.0, 2.0, 3.0], 2), (&[1.0], 0)] {
            Pooling::Mean.pool(hidden, width).unwrap_err();
        }
    }

    #[test]
    fn normalized_vectors_have_length_one() {
        let mut vector = [3e20, 4e20];
        normalize(&mut vector);
        assert_eq!(vector, [0.6, 0.8]);
        let mut zero = [0.0, 0.0];
        normalize(&mut zero);
        assert_eq!(zero, [0.0, 0.0]);
    }
}
