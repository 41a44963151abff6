"""Calibration: how well predicted probabilities match observed frequencies."""

import numpy as np

BINS = 10


def expected_calibration_error(
    probabilities: np.ndarray, right: np.ndarray, bins: int = BINS, weights: np.ndarray | None = None
) -> float:
    """Mean difference between confidence and accuracy over bins of equal width, weighted by bin size.

    Naeini et al. 2015; 0 for a model that is right for 80 % of the answers it gives with a probability of 0.8.
    """
    weights = np.ones(len(right)) if weights is None else weights
    bin_of = np.minimum((probabilities * bins).astype(int), bins - 1)
    error = 0.0
    for number in range(bins):
        inside = bin_of == number
        if inside.any():
            gap = np.average(probabilities[inside] - right[inside], weights=weights[inside])
            error += weights[inside].sum() / weights.sum() * abs(gap)
    return float(error)


def log_sum(values: np.ndarray) -> float:
    """Numerically stable log-sum-exp."""
    top = float(np.max(values, initial=-np.inf))
    return top if np.isinf(top) else top + float(np.log(np.exp(values - top).sum()))
