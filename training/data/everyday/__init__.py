"""Everyday texts made from facts by templates: recipes, manuals, tables, chats and notices, with questions about them.

SQuAD is encyclopedia prose. People also ask about lists, numbered steps, rows of a table, and who said what.
"""

from training.data.everyday import chats, notices, steps, tables
from training.data.everyday.page import Asked, pick

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
)


def draw(random) -> Asked:
    """A new text with one question about it."""
    return pick(KINDS, random)(random).draw(random)
