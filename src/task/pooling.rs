//! Token vectors → one vector per text.

use crate::error::{Error, Result};

/// Mean of the rows of `hidden` (`[tokens, width]`, row-major) whose `mask` isn't 0, summed in f64.
///
/// # Errors
/// [`Error::Internal`] if the lengths don't match, [`Error::InvalidInput`] if every token is masked.
pub fn mean(hidden: &[f32], width: usize, mask: &[u32]) -> Result<Vec<f32>> {
    if width == 0 || hidden.len() != width * mask.len() {
        let problem = format!("{} values for {} tokens of width {width}", hidden.len(), mask.len());
        return Err(Error::internal("mean pooling", problem));
    }
    let mut sums = vec![0f64; width];
    let mut tokens = 0u32;
    for (row, _) in hidden.chunks_exact(width).zip(mask).filter(|(_, mask)| **mask != 0) {
        sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
        tokens += 1;
    }
    if tokens == 0 {
        return Err(Error::invalid_input(
            "attention_mask",
            "masks every token; at least one must not be masked",
        ));
    }
    Ok(sums.iter().map(|sum| (sum / f64::from(tokens)) as f32).collect())
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
    fn masked_tokens_are_ignored() {
        let hidden = [1.0, 2.0, 3.0, 6.0, 1e30, f32::NAN];
        assert_eq!(mean(&hidden, 2, &[1, 1, 0]).unwrap(), [2.0, 4.0]);
    }

    #[test]
    fn large_values_do_not_lose_small_ones() {
        let hidden = [2.5e7, 1.0, -2.5e7];
        assert_eq!(mean(&hidden, 1, &[1, 1, 1]).unwrap(), [1.0 / 3.0]);
    }

    #[test]
    fn masking_every_token_and_wrong_lengths_are_errors() {
        mean(&[1.0, 2.0], 2, &[0]).unwrap_err();
        mean(&[1.0, 2.0], 2, &[1, 1]).unwrap_err();
        mean(&[], 0, &[]).unwrap_err();
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
