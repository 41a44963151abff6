"""Rule-based sentence splitting."""

import re

_END = re.compile(r"""[.!?]["'”’)\]]*\s+(?=["'“‘(\[]?[A-Z0-9])|\n+""")
_WORD_BEFORE = re.compile(r"[\w.]*$")
ABBREVIATIONS = frozenset(
    "mr mrs ms dr st mt prof rev gen col capt lt sgt gov sen rep hon jr sr inc ltd co corp vs etc no vol fig ca approx "
    "e.g i.e u.s u.k a.d b.c jan feb mar apr jun jul aug sep sept oct nov dec".split()
)


def spans(text: str) -> list[tuple[int, int]]:
    """Start and end of each sentence, without surrounding whitespace. A line break also ends a sentence."""
    untrimmed, start = [], 0
    for end in _END.finditer(text):
        if text[end.start()] == "." and _is_abbreviation(text[start : end.start()]):
            continue
        untrimmed.append((start, end.end()))
        start = end.end()
    untrimmed.append((start, len(text)))
    return [trimmed for a, b in untrimmed if (trimmed := _trim(text, a, b))]


def _is_abbreviation(before: str) -> bool:
    word = _WORD_BEFORE.search(before).group().lower()
    # A single letter is an initial: "J. Smith".
    return word in ABBREVIATIONS or (len(word) == 1 and word.isalpha())


def _trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    part = text[start:end]
    left, right = len(part) - len(part.lstrip()), len(part.rstrip())
    return (start + left, start + right) if right > left else None


def without(text: str, answer: str) -> list[tuple[int, int]] | None:
    """The sentences of `text` that don't contain `answer`; None if all or none of them do."""
    all_spans = spans(text)
    kept = [(a, b) for a, b in all_spans if answer.lower() not in text[a:b].lower()]
    # An answer may span a sentence boundary, so that no single sentence contains it.
    if not kept or len(kept) == len(all_spans):
        return None
    return kept
