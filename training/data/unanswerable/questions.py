"""Answerable questions changed so that their passage no longer answers them, as SQuAD v2.0's authors did by hand.

Its unanswerable questions fall into kinds (Rajpurkar et al. 2018, Table 2): an entity swapped for another of the
passage's, a negation, an antonym. The rules here make these three. They are not always right: some changed questions
keep their answer.
"""

import re

from training.data.unanswerable import mentions, sentences

_AUXILIARY = re.compile(r"\b(is|was|are|were|did|does|do|has|have|had|could|would|should)\b(?!\s+not\b|n't)")

# Each word is replaced by its partner, in both directions.
OPPOSITES = """
first last|largest smallest|biggest smallest|highest lowest|most least|more less|before after|earlier later|
oldest youngest|older younger|longest shortest|longer shorter|larger smaller|higher lower|best worst|better worse|
begin end|began ended|start stop|started stopped|increase decrease|increased decreased|rise fall|rose fell|win lose|
won lost|north south|northern southern|northeast southwest|northwest southeast|east west|eastern western|male female|
men women|man woman|father mother|son daughter|husband wife|king queen|support oppose|supported opposed|allow forbid|
allowed forbidden|accept reject|accepted rejected|join leave|joined left|buy sell|bought sold|open close|opened closed|
maximum minimum|majority minority|positive negative|public private|major minor|upper lower|rich poor|hot cold|
always never|inside outside|above below|gain lose|gained lost|arrive depart|arrived departed|birth death|born dead|
early late|common rare|success failure|strong weak|friend enemy|ancient modern|internal external|include exclude|
included excluded|created destroyed|built demolished|appointed dismissed|elected defeated|victory defeat
"""


def _partners() -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in OPPOSITES.replace("\n", "").split("|"):
        one, other = pair.split()
        found.setdefault(one, other)
        found.setdefault(other, one)
    return found


PARTNERS = _partners()
_OPPOSITE = re.compile(rf"\b({'|'.join(sorted(PARTNERS, key=len, reverse=True))})\b", re.IGNORECASE)


def swapped(question: str, passage: str, start: int, answer: str, random) -> str | None:
    """`question` with one name, date or number replaced by another of its kind; None where the passage has none.

    The replaced mention is one that the passage holds (it ties the question to the passage). The new one comes from
    another sentence than the answer's, and is not part of the question or the answer. `start`: the answer's place.
    """
    near = next((passage[a:b] for a, b in sentences.spans(passage) if a <= start < b), "")
    found = mentions.find(passage)
    choices = []
    for mention in mentions.find(question):
        if mention.text not in passage:
            continue
        others = {
            other.text
            for other in found
            if other.kind == mention.kind
            and (other.kind != "number" or len(other.text) == len(mention.text))
            and not _overlap(other.text, question)
            and not _overlap(other.text, answer)
            and other.text not in near
        }
        choices += [(mention, other) for other in sorted(others)]
    if not choices:
        return None
    mention, other = choices[random.integers(len(choices))]
    return question[: mention.start] + other + question[mention.end :]


def negated(question: str) -> str | None:
    """`question` with its first auxiliary negated; None where it has none."""
    match = _AUXILIARY.search(question)
    return None if match is None else f"{question[: match.end()]}n't{question[match.end() :]}"


def opposed(question: str, random) -> str | None:
    """`question` with one word replaced by its opposite; None where it has no such word."""
    places = list(_OPPOSITE.finditer(question))
    if not places:
        return None
    match = places[random.integers(len(places))]
    other = PARTNERS[match.group().lower()]
    if match.group()[0].isupper():
        other = other.capitalize()
    return question[: match.start()] + other + question[match.end() :]


def _overlap(one: str, other: str) -> bool:
    return one.lower() in other.lower() or other.lower() in one.lower()
