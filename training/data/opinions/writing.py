"""SST-2's spelling ("do n't", " ," and no capitals) against that of people, and small slips of both."""

import re

from training.data.everyday.page import pick

_BEFORE = re.compile(r" (n't|'s|'m|'re|'ve|'ll|'d|[,.;:!?%)])")
_QUOTED = re.compile(r"(?:``|''|-lrb-|-rrb-) ?")
ENDS = ("", "", "", ".", "!", "!!", "...")


def natural(text: str) -> str:
    """A text in the spelling of Penn's tree bank as people write it."""
    text = _QUOTED.sub("", text)
    return _BEFORE.sub(r"\1", text).replace("( ", "(")


def vary(text: str, random) -> str:
    """Three in four texts as people write them; one in three with another end."""
    if random.random() < 0.75:
        text = natural(text)
    if random.random() < 0.33:
        text = text.rstrip(" .!") + pick(ENDS, random) or text
    return text
