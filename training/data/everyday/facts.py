"""Texts made from a random selection of short facts; questions about the other facts have no answer.

Each file in `genres/` defines one kind of text. `names` are drawn once per text, one of `opening` comes first, and each
of the `facts` has several phrasings in `says`. In these templates, `{name:type}` is filled with a value of that type in
`values.TYPES`, `{name:one|two}` with one of the options, and `{name}` with a name of the text. The questions in
`asks.name` are answered by the value of that slot; those in `missing` sound as if the fact answered them, but no fact
of the file does.
"""

import re
import tomllib
from collections.abc import Sequence
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
        page.add(*_fill(pick(genre.opening, random), "opening", names, used, random)[:2])
    count = int(random.integers(LEAST_FACTS, MOST_FACTS + 1))
    order = random.permutation(len(genre.facts))
    included, omitted = sorted(order[:count]) if random.random() < 0.6 else order[:count], order[count:]
    write = style.draw(random)
    for index in included:
        _add_fact(page, genre.facts[index], f"f{index}", names, used, write, random)
    for index in omitted:
        for questions in genre.facts[index]["asks"].values():
            page.ask_unanswerable(*_fill_questions(questions, names))
    return page


def _add_fact(page: Page, fact: dict, prefix: str, names: dict[str, str], used: set[str], write, random) -> None:
    template, marks, by_name = _fill(pick(fact["says"], random), prefix, names, used, random)
    write(page, template, marks)
    for name, questions in fact["asks"].items():
        if name in by_name:
            known = {**names, **{other: value for other, value in by_name.items() if other != name}}
            page.ask(f"{prefix}_{name}", *_fill_questions(questions, known))
    page.ask_near_miss(*_fill_questions(fact.get("missing", ()), names))


def _fill(template: str, prefix: str, names: dict[str, str], used: set[str], random):
    """Return a template for `Page.add`, the values of its marks, and the values by their names in the file."""
    by_name, marks = {}, {}

    def mark(slot: re.Match) -> str:
        name, kind = slot.groups()
        if kind is not None:
            by_name[name] = values.value(kind, used, random)
            used.add(by_name[name])
        elif name in by_name:
            # Only the first occurrence is marked as an answer.
            return by_name[name]
        else:
            by_name[name] = names[name]
        marks[f"{prefix}_{name}"] = by_name[name]
        return f"{{{prefix}_{name}}}"

    def article(match: re.Match) -> str:
        vowel = marks[match.group(2)][0].lower() in "aeiou"
        return f"{match.group(1)}n " if vowel else match.group()

    return _ARTICLE.sub(article, _SLOT.sub(mark, template)), marks, by_name


def _fill_questions(questions: Sequence[str], known: dict[str, str]) -> list[str]:
    """Fill in the names in the questions, leaving out questions with an unknown name."""
    names = [[slot.group(1) for slot in _SLOT.finditer(question)] for question in questions]
    return [
        _SLOT.sub(lambda slot: known[slot.group(1)], question)
        for question, needed in zip(questions, names, strict=True)
        if all(name in known for name in needed)
    ]
