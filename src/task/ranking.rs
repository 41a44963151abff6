//! Operations on a row of logits, shared by several tasks.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::error::{Error, Result};

/// A number with a total order, including NaN.
#[derive(Clone, Copy, Debug)]
pub(super) struct TotalOrder(pub(super) f64);

impl PartialEq for TotalOrder {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for TotalOrder {}

impl PartialOrd for TotalOrder {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TotalOrder {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// Softmax in f64.
pub(super) fn softmax(logits: &[f32]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut values: Vec<f64> =
        logits.iter().map(|&logit| (f64::from(logit) - f64::from(largest)).exp()).collect();
    let sum: f64 = values.iter().sum();
    values.iter_mut().for_each(|value| *value /= sum);
    values
}

/// The `count` largest values with their indices, largest first; ties in order.
pub(super) fn largest(values: &[f64], count: usize) -> Vec<(usize, f64)> {
    let mut kept = BinaryHeap::with_capacity(count.min(values.len()) + 1);
    for (at, &value) in values.iter().enumerate() {
        kept.push((Reverse(TotalOrder(value)), at));
        if kept.len() > count {
            kept.pop();
        }
    }
    kept.into_sorted_vec().into_iter().map(|(value, at)| (at, value.0.0)).collect()
}

/// All values with their indices, largest first; ties in order.
pub(super) fn ranked(values: &[f64]) -> Vec<(usize, f64)> {
    largest(values, values.len())
}

/// Fails with the index of the first NaN or infinity.
pub(super) fn check_finite(name: &str, values: &[f32]) -> Result<()> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(at) => {
            let problem = format!("is {} at {at}; the weights are damaged or too large", values[at]);
            Err(Error::tensor(name, problem))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn largest_equals_a_full_sort() {
        let values = [0.5, 2.0, -1.0, 2.0, 0.5, 7.0];
        for count in 0..8 {
            let mut sorted: Vec<(usize, f64)> = values.iter().copied().enumerate().collect();
            sorted.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            sorted.truncate(count);
            assert_eq!(largest(&values, count), sorted);
        }
    }

    #[test]
    fn softmax_sums_to_one_for_any_logits() {
        for logits in [vec![0.0], vec![1e30, 1e30, -1e30], (0..1000).map(|i| i as f32).collect()] {
            let sum: f64 = softmax(&logits).iter().sum();
            assert!((sum - 1.0).abs() < 1e-12, "{sum}");
        }
    }
}
