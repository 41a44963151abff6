"""The ten examples of a model card."""

import numpy as np

# Half of them mistakes.
EXAMPLES = 10


def pick(right: list[bool], seed: int) -> list[int]:
    """Examples for the card: right ones, then as many wrong ones, drawn by the seed and not by taste."""
    random, chosen = np.random.default_rng(seed), []
    for wanted in (True, False):
        found = [i for i, value in enumerate(right) if value == wanted]
        chosen += sorted(random.permutation(found)[: EXAMPLES // 2].tolist())
    return chosen


def verdict(right: bool) -> str:
    """Return the mark of an example."""
    return "right" if right else "wrong"


def escape(cell: str) -> str:
    """Text escaped for a Markdown table."""
    return " ".join(cell.replace("|", "\\|").split())
