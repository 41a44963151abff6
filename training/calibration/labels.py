"""Calibration of two labels: temperature, and the range of probabilities for which a text counts as neutral."""

import numpy as np

from training.metrics.calibration import expected_calibration_error

# Candidates for the ends of the neutral zone.
LOWS, HIGHS = np.arange(0.05, 0.5, 0.01), np.arange(0.5, 0.951, 0.01)


def positive(logits: np.ndarray, temperature: float) -> np.ndarray:
    """The probability of the second label, from logits `[rows, 2]`."""
    return 1 / (1 + np.exp(-(logits[:, 1] - logits[:, 0]) / temperature))


def error(positive: np.ndarray, truths: np.ndarray) -> float:
    """The expected calibration error of the predicted label."""
    return expected_calibration_error(np.maximum(positive, 1 - positive), (positive > 0.5) == (truths > 0.5))


def neutral_zone(negative: np.ndarray, neutral: np.ndarray, positive: np.ndarray) -> tuple[float, float, float]:
    """The neutral zone that best separates the three kinds of text, and its accuracy averaged over the kinds.

    The arguments are the second label's probabilities for texts of each kind.
    """
    best = (0.5, 0.5, -1.0)
    for low in LOWS:
        for high in HIGHS:
            accuracies = (
                (negative < low).mean(),
                ((neutral >= low) & (neutral <= high)).mean(),
                (positive > high).mean(),
            )
            if np.mean(accuracies) > best[2]:
                best = (float(low), float(high), float(np.mean(accuracies)))
    return best
