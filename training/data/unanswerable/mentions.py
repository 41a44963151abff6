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
# Words that are capitalized at the start of a sentence, but don't belong to the name that follows.
_FUNCTION_WORDS = (
    "The An In On At By For From To Of With As And But Or During After Before Since Until While Although If Under "
    "What Which Who Whose Whom When Where Why How Is Are Was Were Did Does Do Has Had This That These His Her Its "
    "Their It He She They Both Besides Unlike According"
).split()
_LEADING = re.compile(rf"(?:(?:{'|'.join(_FUNCTION_WORDS)})\s)+")
_POSSESSIVE = re.compile(r"['’]s$")
_PLACE_BEFORE = re.compile(r"\b(?:in|at|near|from|to|across|outside|around)\s(?:the\s)?$", re.IGNORECASE)
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
                leading = _LEADING.match(match.group())
                start = match.start() + (leading.end() if leading else 0)
                name = _POSSESSIVE.sub("", text[start : match.end()])
                # A single capitalized word at the start of a sentence is probably not a name.
                if " " not in name and _STARTS_SENTENCE.search(text[:start]):
                    continue
                place = _PLACE_BEFORE.search(text[:start])
                taken.append(Mention("place" if place else "name", start, start + len(name), name))
            else:
                taken.append(Mention(kind, match.start(), match.end(), match.group()))
    return sorted(taken, key=lambda m: m.start)
