"""Layouts for a sequence of facts: prose, lines, a list, or a chat."""

from collections.abc import Callable

from training.data.everyday import words
from training.data.everyday.page import Page, pick, several

Write = Callable[[Page, str, dict[str, str]], None]


def draw(random) -> Write:
    """Draw a style: a function that appends a template with its values to a page."""
    position, turn = random.random(), iter(range(1, 100))
    speakers, form = several(words.PEOPLE, 3, random), pick(("{}: ", "<{}> ", "[{}] ", "{} - "), random)

    def write(page: Page, template: str, filled: dict[str, str]) -> None:
        if position < 0.5:
            page.add(template, filled, " " if random.random() < 0.85 else "\n")
        elif position < 0.7:
            page.add(template, filled)
        elif position < 0.8:
            page.add("- " + template, filled)
        elif position < 0.88:
            page.add(f"{next(turn)}. " + template, filled)
        else:
            page.add(form.format(pick(speakers, random)) + template, filled)

    return write
