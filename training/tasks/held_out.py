"""Training rows held out for evaluation during training."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from training.config import Config

Row = TypeVar("Row")


def split(rows: Sequence[Row], config: Config) -> tuple[list[Row], list[Row]]:
    """The held-out rows, and the others shuffled by the seed.

    The held-out rows don't depend on the seed: a run may continue one with another seed, and must not be evaluated on
    rows that it was trained on.
    """
    count = min(config.loop.held_out, len(rows) // 10) if config.loop.evaluate_every else 0
    shuffled = np.random.default_rng(0).permutation(len(rows))
    held, rest = shuffled[:count], shuffled[count:]
    order = np.random.default_rng([config.seed, 0]).permutation(len(rest))
    return [rows[i] for i in held], [rows[i] for i in rest[order]]
