"""Sentences with two or three facts of the same kind: about people, days or things, or a rule and its exception.

`pairs.toml` defines the relations. In the templates of `says`, `{about}` is the topic, `{x}` and `{y}` are two elements
of a row of `of`, in any order, and `{a}` and `{b}` are their values; templates with `{z}` and `{c}` have a third one.
`asks` are questions about `{x}`, which are asked about all elements. In the templates of `usually`, the value is `{a}`
for all elements except `{x}`, whose value is `{b}`; `asks_usual` are questions whose answer is `{a}`. Some sentences
name a unit only once ("14 euros to Norway, 9 to Spain").
"""

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from training.data.everyday import style, values, words
from training.data.everyday.page import Page, pick, several

FILE = Path(__file__).with_name("pairs.toml")
LEAST_PAIRS, MOST_PAIRS = 2, 9
# Fraction of sentences that name a unit only once, where they can.
ELIDED = 0.3
_MEASURED = re.compile(rf"(?P<number>[\d.,/]+|{'|'.join(words.NUMBERS)}) [a-z]+")


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
    *included, omitted = several(known, count + 1, random)
    for number, relation in enumerate(included):
        _add(page, relation, number, used, write, random)
    page.ask_unanswerable(*_questions(omitted, pick(omitted.about, random), pick(pick(omitted.of, random), random)))
    return page


def _add(page: Page, relation: Relation, number: int, used: set[str], write, random) -> None:
    about, row = pick(relation.about, random), pick(relation.of, random)
    if about in used or used & set(row):
        return
    used |= {about, *row} - {""}
    row = several(row, len(row), random)
    usual = bool(relation.usually) and random.random() < 0.5
    template = _template(relation.usually if usual else relation.says, len(row), random)
    names = [f"{mark}{number}" for mark in "abc"]
    marks = {mark: f"{{{name}}}" for mark, name in zip("abc", names, strict=True)}
    drawn = _elide_units(template, values.distinct(relation.value, len(names), random), random)
    sentence = template.format(about=about, **dict(zip("xyz", row, strict=False)), **marks)
    write(page, *_capitalize(sentence, dict(zip(names, drawn, strict=True))))
    if usual:
        page.ask(names[0], *(question.format(about=about) for question in relation.asks_usual))
        page.ask(names[1], *_questions(relation, about, row[0]))
        return
    count = _mentioned(template)
    for name, member in zip(names, row[:count], strict=False):
        page.ask(name, *_questions(relation, about, member))
    for member in row[count:]:
        page.ask_unanswerable(*_questions(relation, about, member))


def _template(templates: list[str], size: int, random) -> str:
    return pick([template for template in templates if _mentioned(template) <= size], random)


def _mentioned(template: str) -> int:
    """Number of elements of a row in the template."""
    return 3 if "{z}" in template else 2


def _elide_units(template: str, drawn: list[str], random) -> list[str]:
    """The values, of which all but the first one in the template may lose their unit."""
    measured = [_MEASURED.fullmatch(value) for value in drawn]
    in_order = template.index("{a}") < template.index("{b}")
    if not (in_order and all(measured) and random.random() < ELIDED):
        return drawn
    numbers = [match["number"] for match in measured]
    return drawn if len(set(numbers)) < len(numbers) else [drawn[0], *numbers[1:]]


def _questions(relation: Relation, about: str, member: str) -> list[str]:
    return [question.format(about=about, x=member) for question in relation.asks]


def _capitalize(template: str, filled: dict[str, str]) -> tuple[str, dict[str, str]]:
    # The sentence may start with a value, which then has to be capitalized.
    name = template[1 : template.index("}")] if template.startswith("{") else None
    if name is None:
        return template[0].upper() + template[1:], filled
    return template, filled | {name: filled[name][0].upper() + filled[name][1:]}
