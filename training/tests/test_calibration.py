"""Whether probabilities mean what they say."""

import numpy as np
import pytest

from training.metrics.calibration import expected_calibration_error, log_sum, span_total
from training.metrics.squad import Found


def test_the_error_is_the_distance_between_said_and_right():
    said = np.array([0.95, 0.95, 0.95, 0.95, 0.15, 0.15])
    right = np.array([1, 1, 1, 0, 0, 0])
    wanted = 4 / 6 * abs(0.95 - 0.75) + 2 / 6 * 0.15
    assert expected_calibration_error(said, right) == pytest.approx(wanted)
    assert expected_calibration_error(np.array([1.0, 0.0]), np.array([1, 0])) == 0.0


def test_the_total_is_over_all_spans_that_are_short_enough():
    random = np.random.default_rng(1)
    for count, longest in ((1, 3), (2, 3), (7, 3), (7, 30)):
        start, end = random.normal(size=(2, count)) * 5
        spans = [start[i] + end[j] for i in range(count) for j in range(i, min(count, i + longest))]
        assert span_total(start, end, longest) == pytest.approx(np.log(np.exp(spans).sum()))
    assert span_total(np.array([-np.inf, 1.0]), np.array([9.0, 2.0]), 4) == pytest.approx(3.0)
    assert span_total(np.array([]), np.array([]), 4) == -np.inf


def test_large_scores_do_not_overflow():
    assert log_sum(np.array([1e4, 1e4])) == pytest.approx(1e4 + np.log(2))
    assert log_sum(np.array([-np.inf, -np.inf])) == -np.inf


def test_no_answer_takes_its_part_of_the_probability():
    assert Found("x", 3.0, 3.0, 3.0).probability == pytest.approx(0.5)
    assert Found("x", 3.0, -np.inf, 3.0).probability == pytest.approx(1.0)
