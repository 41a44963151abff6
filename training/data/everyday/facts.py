"""Texts made of short facts, a few of many: the questions about those left out are the ones without an answer.

A file of `genres/` is one kind of text. `names` are drawn once for each text, `opening` begins it, and each of `facts`
can be said in several ways. In what is said, `{name:type}` is filled by a value of `values.TYPES`, `{name:one|two}` by
one of these, and `{name}` by a name of the text. `asks.name` are questions which that value answers.
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
# As many facts fit a window of 256 word pieces.
LEAST_FACTS, MOST_FACTS = 4, 9


@dataclass(frozen=True)
class Genre:
    """One kind of text, as its file has it."""

    names: dict[str, str]
    opening: list[str]
    facts: list[dict]


@cache
def genres() -> dict[str, Genre]:
    """All files of `genres/`, by their names."""
    return {path.stem: Genre(**tomllib.loads(path.read_text("utf-8"))) for path in sorted(FOLDER.glob("*.toml"))}


def text(random) -> Page:
    """A text of any genre."""
    return made(pick(list(genres().values()), random), random)


def made(genre: Genre, random) -> Page:
    """A text of this genre."""
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
    for index in unsaid:
        for questions in genre.facts[index]["asks"].values():
            page.ask_in_vain(*(q for q in (_said(q, names) for q in questions) if q))
    return page


def _filled(template: str, prefix: str, names: dict[str, str], used: set[str], random):
    """The template with marks for `Page.add`, their values, and the values by the names that the file has for them."""
    own, marks = {}, {}

    def mark(slot: re.Match) -> str:
        name, kind = slot.groups()
        if kind is not None:
            own[name] = values.value(kind, used, random)
            used.add(own[name])
        elif name in own:
            # Only its first place is asked for.
            return own[name]
        else:
            own[name] = names[name]
        marks[f"{prefix}_{name}"] = own[name]
        return f"{{{prefix}_{name}}}"

    return _SLOT.sub(mark, template), marks, own


def _said(question: str, known: dict[str, str]) -> str | None:
    """The question with its names filled in; None if one is not known."""
    slots = [slot.group(1) for slot in _SLOT.finditer(question)]
    return _SLOT.sub(lambda slot: known[slot.group(1)], question) if all(s in known for s in slots) else None
