"""The calibration error and the probabilities of answers."""

import numpy as np
import pytest

from training.metrics import answers
from training.metrics.calibration import expected_calibration_error, log_sum


def test_error_is_the_difference_between_confidence_and_accuracy():
    said = np.array([0.95, 0.95, 0.95, 0.95, 0.15, 0.15])
    right = np.array([1, 1, 1, 0, 0, 0])
    wanted = 4 / 6 * abs(0.95 - 0.75) + 2 / 6 * 0.15
    assert expected_calibration_error(said, right) == pytest.approx(wanted)
    assert expected_calibration_error(np.array([1.0, 0.0]), np.array([1, 0])) == 0.0


def test_overlapping_spans_count_for_an_answer_and_no_answer_competes():
    random = np.random.default_rng(1)
    for count in (1, 2, 7, 40):
        start, end = random.normal(size=(2, count)) * 5
        first = int(random.integers(count))
        last = int(random.integers(first, min(count, first + answers.MAX_ANSWER)))
        scores = answers.span_scores(start, end)
        spans = {(i, j): start[i] + end[j] for i in range(count) for j in range(i, min(count, i + answers.MAX_ANSWER))}
        wanted = np.log(np.exp(list(spans.values())).sum())
        assert log_sum(scores.ravel()) == pytest.approx(wanted)
        overlapping = np.log(sum(np.exp(s) for (i, j), s in spans.items() if i <= last and j >= first))
        assert log_sum(scores[answers.overlapping(count, first, last)]) == pytest.approx(overlapping)
    one = np.array([3.0, 1.5])
    temperatures = np.array([1.0, 2.0])
    assert answers.Prediction("x", 3.0, 3.0, one, one).probabilities(temperatures) == pytest.approx([0.5, 0.5])
    assert answers.Prediction("x", 3.0, 3.0, one, one).probabilities(temperatures, -np.inf) == pytest.approx([1.0, 1.0])
    assert answers.Prediction("x", 3.0, 3.0, one, one).probabilities(temperatures, np.log(3)) == pytest.approx(
        [0.25, 0.25]
    )
    assert answers.Prediction("x", 3.0, -np.inf, one, one).probabilities(temperatures) == pytest.approx([1.0, 1.0])


def test_large_scores_do_not_overflow():
    assert log_sum(np.array([1e4, 1e4])) == pytest.approx(1e4 + np.log(2))
    assert log_sum(np.array([-np.inf, -np.inf])) == -np.inf
