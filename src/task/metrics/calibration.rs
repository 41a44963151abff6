//! Calibration: do probabilities match frequencies?

/// Number of bins of equal width.
const BINS: usize = 10;

/// The expected calibration error (Naeini et al. 2015): the mean absolute difference between predicted
/// probability and accuracy over ten probability bins, weighted by their sizes. Between 0 and 1; 0 if there
/// are no predictions.
pub fn expected_calibration_error(predictions: impl IntoIterator<Item = (f64, bool)>) -> f64 {
    let mut excess = [0.0; BINS];
    let mut count = 0usize;
    for (probability, is_right) in predictions {
        let bin = ((probability * BINS as f64) as usize).min(BINS - 1);
        excess[bin] += probability - f64::from(u8::from(is_right));
        count += 1;
    }
    excess.iter().map(|excess| excess.abs()).sum::<f64>() / count.max(1) as f64
}
