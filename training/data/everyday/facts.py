"""Texts made from a random selection of short facts; questions about the other facts have no answer.

Each file in `genres/` defines one kind of text. `names` are drawn once per text, one of `opening` comes first, and each
of the `facts` has several phrasings in `says`. In these templates, `{name:type}` is filled with a value of that type in
`values.TYPES`, `{name:one|two}` with one of the options, and `{name}` with a name of the text. The questions in
`asks.name` are answered by the value of that slot; those in `missing` sound as if the fact answered them, but no fact
of the file does.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from training.data.everyday import style, values
from training.data.everyday.page import Page, pick

FOLDER = Path(__file__).parent / "genres"
_SLOT = re.compile(r"\{(\w+)(?::([^}]*))?\}")
# An article before a slot that is filled with a noun.
_ARTICLE = re.compile(r"\b([Aa]) (?=\{(\w+)\})")
# This many facts fit in a window of 256 tokens.
LEAST_FACTS, MOST_FACTS = 4, 9


@dataclass(frozen=True)
class Genre:
    """One kind of text, with the fields of its file."""

    names: dict[str, str]
    opening: list[str]
    facts: list[dict]


@cache
def genres() -> dict[str, Genre]:
    """All genres by file name."""
    return {path.stem: Genre(**tomllib.loads(path.read_text("utf-8"))) for path in sorted(FOLDER.glob("*.toml"))}


def text(random) -> Page:
    """A text of a random genre."""
    return generate(pick(list(genres().values()), random), random)


def generate(genre: Genre, random) -> Page:
    """A text of the given genre."""
    names: dict[str, str] = {}
    for name, kind in genre.names.items():
        names[name] = values.value(kind, set(names.values()), random)
    page, used = Page(), set(names.values())
    if genre.opening:
        page.add(*_filled(pick(genre.opening, random), "opening", names, used, random)[:2])
    count = int(random.integers(LEAST_FACTS, MOST_FACTS + 1))
    order = random.permutation(len(genre.facts))
    said, unsaid = sorted(order[:count]) if random.random() < 0.6 else order[:count], order[count:]
    write = style.draw(random)
    for index in said:
        fact = genre.facts[index]
        template, filled, own = _filled(pick(fact["says"], random), f"f{index}", names, used, random)
        write(page, template, filled)
        for name, questions in fact["asks"].items():
            if name in own:
                known = {**names, **{k: v for k, v in own.items() if k != name}}
                page.ask(f"f{index}_{name}", *(q for q in (_said(q, known) for q in questions) if q))
        page.ask_near_miss(*(q for q in (_said(q, names) for q in fact.get("missing", ())) if q))
    for index in unsaid:
        for questions in genre.facts[index]["asks"].values():
            page.ask_unanswerable(*(q for q in (_said(q, names) for q in questions) if q))
    return page


def _filled(template: str, prefix: str, names: dict[str, str], used: set[str], random):
    """Return a template for `Page.add`, the values of its marks, and the values by their names in the file."""
    own, marks = {}, {}

    def mark(slot: re.Match) -> str:
        name, kind = slot.groups()
        if kind is not None:
            own[name] = values.value(kind, used, random)
            used.add(own[name])
        elif name in own:
            # Only the first occurrence is marked as an answer.
            return own[name]
        else:
            own[name] = names[name]
        marks[f"{prefix}_{name}"] = own[name]
        return f"{{{prefix}_{name}}}"

    def article(found: re.Match) -> str:
        vowel = marks[found.group(2)][0].lower() in "aeiou"
        return f"{found.group(1)}n " if vowel else found.group()

    return _ARTICLE.sub(article, _SLOT.sub(mark, template)), marks, own


def _said(question: str, known: dict[str, str]) -> str | None:
    """Fill in the names in a question; None if one of them is not known."""
    slots = [slot.group(1) for slot in _SLOT.finditer(question)]
    return _SLOT.sub(lambda slot: known[slot.group(1)], question) if all(s in known for s in slots) else None
