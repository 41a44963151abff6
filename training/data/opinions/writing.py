"""Converts SST-2's tokenized spelling ("do n't", " ,") to everyday spelling, and varies it."""

import re

from training.data.everyday.page import pick

_BEFORE = re.compile(r" (n't|'s|'m|'re|'ve|'ll|'d|[,.;:!?%)])")
_QUOTED = re.compile(r"(?:``|''|-lrb-|-rrb-) ?")
ENDS = ("", "", "", ".", "!", "!!", "...")


def natural(text: str) -> str:
    """Convert a text from Penn Treebank tokenization to everyday spelling."""
    text = _QUOTED.sub("", text)
    return _BEFORE.sub(r"\1", text).replace("( ", "(")


def vary(text: str, random) -> str:
    """Use everyday spelling in three quarters of the texts, and other final punctuation in a third."""
    if random.random() < 0.75:
        text = natural(text)
    if random.random() < 0.33:
        text = text.rstrip(" .!") + pick(ENDS, random) or text
    return text
