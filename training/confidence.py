"""Confidence intervals of a score on a dev set."""

import math

import numpy as np


def wilson(hits: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson score interval of a proportion, in percent; 95 % by default."""
    share = hits / count
    middle = share + z * z / (2 * count)
    reach = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    scale = 100 / (1 + z * z / count)
    return (middle - reach) * scale, (middle + reach) * scale


def bootstrap(values: list[float], seed: int = 1, draws: int = 2000) -> tuple[float, float]:
    """The 95 % confidence interval of a mean (Efron's percentile bootstrap)."""
    given, random = np.asarray(values), np.random.default_rng(seed)
    means = [given[random.integers(len(given), size=len(given))].mean() for _ in range(draws)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
