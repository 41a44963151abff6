"""Confidence intervals of a score on a dev set."""

import math

import numpy as np


def wilson(hits: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson score interval of a proportion (Wilson 1927), in percent; 95 % by default."""
    proportion = hits / count
    center = proportion + z * z / (2 * count)
    margin = z * math.sqrt(proportion * (1 - proportion) / count + z * z / (4 * count * count))
    scale = 100 / (1 + z * z / count)
    return (center - margin) * scale, (center + margin) * scale


def bootstrap(values: list[float], seed: int = 1, draws: int = 2000) -> tuple[float, float]:
    """The 95 % confidence interval of a mean (Efron's percentile bootstrap)."""
    sample, random = np.asarray(values), np.random.default_rng(seed)
    means = [sample[random.integers(len(sample), size=len(sample))].mean() for _ in range(draws)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
