"""Everyday texts generated from templates, with questions: recipes, manuals, tables, chats, notices and more.

SQuAD is encyclopedia prose. People also ask about lists, numbered steps, table rows, and who said what.
"""

from training.data.everyday import chats, facts, notices, pairs, steps, tables
from training.data.everyday.page import Asked, pick

# Fractions of these two, which are higher because they cover many kinds of text.
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


def draw(random) -> Asked:
    """Generate a text and one question about it."""
    place = random.random()
    kind = facts.text if place < FACTS else pairs.text if place < FACTS + PAIRS else pick(KINDS, random)
    return kind(random).draw(random)
