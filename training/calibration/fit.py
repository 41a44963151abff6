"""Fitting temperatures, biases and thresholds to observed results."""

from collections.abc import Sequence

import numpy as np

# Candidate values.
TEMPERATURES = np.geomspace(0.5, 6.0, 40)
BIASES = np.arange(-6.0, 6.001, 0.1)


def closest(probabilities: Sequence[np.ndarray], right: np.ndarray, weights: np.ndarray | None = None) -> int:
    """The index of the array of probabilities that fits `right` best (log loss)."""
    losses = []
    for candidate in probabilities:
        candidate = np.clip(candidate, 1e-6, 1 - 1e-6)
        losses.append(-np.average(np.where(right > 0, np.log(candidate), np.log1p(-candidate)), weights=weights))
    return int(np.argmin(losses))


def threshold_keeping(differences: np.ndarray, scores: np.ndarray, share: float) -> float:
    """The lowest threshold on (no answer − best answer) whose answers keep `share` of the sum of `scores`.

    A difference above the threshold means no answer. It is halfway between two differences.
    """
    order = np.argsort(differences, kind="stable")
    sums = np.cumsum(scores[order])
    # The smallest number of answers; at least one, since rounding must not drop all of them.
    count = int(np.searchsorted(sums, share * sums[-1] - 1e-9)) + 1
    last = differences[order[count - 1]]
    above = differences[order][differences[order] > last]
    return float((last + above[0]) / 2) if len(above) else float(last + 1)


def threshold(differences: np.ndarray, answerable: np.ndarray, weight: float = 1.0) -> tuple[float, float]:
    """The threshold on (no answer − best answer) with the most correct decisions, and their percentage.

    A difference above the threshold means no answer. Among equally good thresholds, the middle one is returned.
    `weight`: the weight of a row without an answer.
    """
    order = np.argsort(differences, kind="stable")
    sorted_differences, has_answer = differences[order], answerable[order]
    # right[i]: correct decisions if the first i rows are predicted to be answerable and the others not
    lost = weight * np.concatenate([[0], np.cumsum(~has_answer)])
    right = np.concatenate([[0], np.cumsum(has_answer)]) + lost[-1] - lost
    same = np.concatenate([[False], sorted_differences[1:] == sorted_differences[:-1], [False]])
    right = np.where(same, -1, right)  # no threshold lies between equal values
    best = np.flatnonzero(right == right.max())
    count = int(best[len(best) // 2])
    below = sorted_differences[count - 1] if count else sorted_differences[0] - 1
    above = sorted_differences[count] if count < len(differences) else sorted_differences[-1] + 1
    return float((below + above) / 2), 100 * float(right.max()) / (has_answer.sum() + lost[-1])
