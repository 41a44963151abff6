"""Rule-based detection of names, dates and numbers, which can be swapped for others of the same kind."""

import re
from dataclasses import dataclass

MONTHS = "January February March April May June July August September October November December".split()
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
NUMBER_WORDS = "two three four five six seven eight nine ten eleven twelve twenty thirty fifty hundred".split()
ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()

_NAME = r"[A-Z][\w’'-]*[\w](?:\s(?:(?:of|the|de|van|von|al)\s)?[A-Z][\w’'-]*[\w])*"
# If two kinds overlap, the earlier one wins.
_KINDS = (
    ("month", re.compile(rf"\b(?:{'|'.join(MONTHS)})\b")),
    ("weekday", re.compile(rf"\b(?:{'|'.join(WEEKDAYS)})\b")),
    ("year", re.compile(r"\b(?:1[0-9]{3}|20[0-9]{2})\b(?![,.%]\d)")),
    ("number", re.compile(r"\b\d{1,3}(?:,\d{3})+\b|\b\d+(?:\.\d+)?\b")),
    ("number word", re.compile(rf"\b(?:{'|'.join(NUMBER_WORDS)})\b")),
    ("ordinal", re.compile(rf"\b(?:{'|'.join(ORDINALS)})\b")),
    ("name", re.compile(rf"\b{_NAME}")),
)
_PLACE_BEFORE = re.compile(r"\b(?:in|at|near|from|to|across|outside|around)\s(?:the\s)?$")
_STARTS_SENTENCE = re.compile(r"(?:^|[.!?:\n]\s*[\"'“‘(]?|\n)$")


@dataclass(frozen=True)
class Mention:
    """A span of a text and its kind."""

    kind: str
    start: int
    end: int
    text: str


def find(text: str) -> list[Mention]:
    """All mentions in order, without overlaps."""
    taken: list[Mention] = []
    for kind, pattern in _KINDS:
        for match in pattern.finditer(text):
            if any(match.start() < t.end and t.start < match.end() for t in taken):
                continue
            if kind == "name":
                # A single capitalized word at the start of a sentence is probably not a name.
                alone = " " not in match.group()
                if alone and _STARTS_SENTENCE.search(text[: match.start()]):
                    continue
                place = _PLACE_BEFORE.search(text[: match.start()])
                taken.append(Mention("place" if place else "name", match.start(), match.end(), match.group()))
            else:
                taken.append(Mention(kind, match.start(), match.end(), match.group()))
    return sorted(taken, key=lambda m: m.start)
