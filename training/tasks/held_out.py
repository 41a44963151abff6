"""The training rows that are kept back to look at while training."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from training.config import Config

Row = TypeVar("Row")


def split(rows: Sequence[Row], config: Config) -> tuple[list[Row], list[Row]]:
    """The rows kept back, and the others in the order of the seed.

    The same rows are kept back whatever the seed: a run may go on from one of another seed, and is not to be judged
    by what that one has learned.
    """
    count = min(config.loop.held_out, len(rows) // 10) if config.loop.evaluate_every else 0
    drawn = np.random.default_rng(0).permutation(len(rows))
    held, rest = drawn[:count], drawn[count:]
    order = np.random.default_rng([config.seed, 0]).permutation(len(rest))
    return [rows[i] for i in held], [rows[i] for i in rest[order]]
