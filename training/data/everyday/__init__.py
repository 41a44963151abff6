"""Everyday texts generated from templates, with questions: recipes, manuals, tables, chats, notices and more.

SQuAD is encyclopedia prose. People also ask about lists, numbered steps, table rows, and who said what.
"""

from training.data.everyday import chats, facts, notices, pairs, steps, tables
from training.data.everyday.page import LabeledQuestion, pick

# Fractions of texts made of facts and of pairs, which are high because these two cover many kinds of text.
FACTS, PAIRS = 0.4, 0.3

KINDS = (
    steps.recipe,
    steps.manual,
    tables.timetable,
    tables.prices,
    tables.departures,
    tables.results,
    chats.chat,
    chats.chat,
    notices.opening,
    notices.lease,
    notices.news,
    tables.hours,
    facts.text,
    pairs.text,
)


def draw(random) -> LabeledQuestion:
    """Generate a text and one question about it."""
    position = random.random()
    kind = facts.text if position < FACTS else pairs.text if position < FACTS + PAIRS else pick(KINDS, random)
    return kind(random).draw(random)
