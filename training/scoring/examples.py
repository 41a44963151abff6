"""The ten examples in a model card."""

import numpy as np

# Half of them are mistakes.
EXAMPLES = 10


def pick(right: list[bool], seed: int) -> list[int]:
    """Indices of randomly drawn examples: right ones, then as many wrong ones."""
    random, chosen = np.random.default_rng(seed), []
    for wanted in (True, False):
        indices = [i for i, value in enumerate(right) if value == wanted]
        chosen += sorted(random.permutation(indices)[: EXAMPLES // 2].tolist())
    return chosen


def verdict(right: bool) -> str:
    """Return the label of an example in the table."""
    return "correct" if right else "wrong"


def escape(cell: str) -> str:
    """Escape text for a Markdown table."""
    return " ".join(cell.replace("|", "\\|").split())
