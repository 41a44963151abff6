"""Sentences with two facts of the same kind: about two people, days or things, or a rule and its exception.

`pairs.toml` defines the relations. In the templates of `says`, `{about}` is the topic, `{x}` and `{y}` are two elements
of a row of `of`, in any order, and `{a}` and `{b}` are their values. `asks` are questions about `{x}`, which are asked
about both elements. In the templates of `usually`, the value is `{a}` for all elements except `{x}`, whose value is
`{b}`; `asks_usual` are questions whose answer is `{a}`.
"""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from training.data.everyday import style, values
from training.data.everyday.page import Page, pick, several

FILE = Path(__file__).with_name("pairs.toml")
LEAST_PAIRS, MOST_PAIRS = 2, 6


@dataclass(frozen=True)
class Relation:
    """One kind of pair, with the fields of the file."""

    of: list[list[str]]
    value: str
    says: list[str]
    asks: list[str]
    about: list[str] = field(default_factory=lambda: [""])
    usually: list[str] = field(default_factory=list)
    asks_usual: list[str] = field(default_factory=list)


@cache
def relations() -> list[Relation]:
    """All relations in the file."""
    return [Relation(**table) for table in tomllib.loads(FILE.read_text("utf-8"))["relations"]]


def text(random) -> Page:
    """A text of random pairs."""
    return generate(relations(), random)


def generate(known: list[Relation], random) -> Page:
    """A text of some of the relations, with unanswerable questions about another one."""
    page, write, used = Page(), style.draw(random), set()
    count = int(random.integers(LEAST_PAIRS, MOST_PAIRS + 1))
    *said, unsaid = several(known, count + 1, random)
    for number, relation in enumerate(said):
        _add(page, relation, number, used, write, random)
    page.ask_unanswerable(*_asked(unsaid, pick(unsaid.about, random), pick(pick(unsaid.of, random), random)))
    return page


def _add(page: Page, relation: Relation, number: int, used: set[str], write, random) -> None:
    about, row = pick(relation.about, random), pick(relation.of, random)
    if about in used or used & set(row):
        return
    used |= {about, *row} - {""}
    x, y, *others = several(row, len(row), random)
    first, second = values.distinct(relation.value, 2, random)
    marks = {"a": f"{{a{number}}}", "b": f"{{b{number}}}"}
    usual = bool(relation.usually) and random.random() < 0.5
    said = pick(relation.usually if usual else relation.says, random).format(about=about, x=x, y=y, **marks)
    said, filled = _capitalized(said, {f"a{number}": first, f"b{number}": second})
    write(page, said, filled)
    if usual:
        page.ask(f"a{number}", *(question.format(about=about) for question in relation.asks_usual))
        page.ask(f"b{number}", *_asked(relation, about, x))
    else:
        page.ask(f"a{number}", *_asked(relation, about, x))
        page.ask(f"b{number}", *_asked(relation, about, y))
        for member in others:
            page.ask_unanswerable(*_asked(relation, about, member))


def _asked(relation: Relation, about: str, member: str) -> list[str]:
    return [question.format(about=about, x=member) for question in relation.asks]


def _capitalized(template: str, filled: dict[str, str]) -> tuple[str, dict[str, str]]:
    # The sentence may start with a value, which then has to be capitalized.
    name = template[1 : template.index("}")] if template.startswith("{") else None
    if name is None:
        return template[0].upper() + template[1:], filled
    return template, filled | {name: filled[name][0].upper() + filled[name][1:]}
