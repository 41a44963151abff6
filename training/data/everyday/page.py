"""A text with marked facts, and questions about them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_MARK = re.compile(r"\{(\w+)\}")
# Fraction of questions without an answer, for kinds of text that have such questions.
UNANSWERABLE = 0.25


@dataclass(frozen=True)
class LabeledQuestion:
    """A text, a question, and the answer's position in characters; start and end are 0 if there is no answer."""

    text: str
    question: str
    start: int
    end: int


@dataclass
class Page:
    """A text built from templates, whose marks `{name}` are filled in and their positions recorded."""

    text: str = ""
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    questions: list[tuple[str, str]] = field(default_factory=list)  # question and name of the mark that answers it
    missing: list[str] = field(default_factory=list)  # questions that the text does not answer
    near_misses: list[str] = field(default_factory=list)  # the same, but the text mentions their subject

    def add(self, template: str, values: dict[str, str], end: str = "\n") -> None:
        """Append a template. `values`: the values of its marks, whose names must be unique within the page."""
        last = 0
        for mark in _MARK.finditer(template):
            self.text += template[last : mark.start()]
            name = mark.group(1)
            if name in self.spans:
                raise ValueError(f"'{name}' is marked twice")
            self.spans[name] = (len(self.text), len(self.text) + len(values[name]))
            self.text += values[name]
            last = mark.end()
        self.text += template[last:] + end

    def ask(self, name: str, *questions: str) -> None:
        """Add questions that are answered by the mark `name`."""
        self.questions += [(question, name) for question in questions]

    def ask_unanswerable(self, *questions: str) -> None:
        """Add questions without an answer."""
        self.missing += questions

    def ask_near_miss(self, *questions: str) -> None:
        """Add questions without an answer whose subject the text does mention."""
        self.near_misses += questions

    def draw(self, random) -> LabeledQuestion:
        """Draw a question; line breaks and case of the text are perturbed."""
        text = perturb(self.text, random)
        unanswerable = [questions for questions in (self.missing, self.near_misses) if questions]
        if unanswerable and random.random() < UNANSWERABLE:
            return LabeledQuestion(text, _vary(pick(pick(unanswerable, random), random), random), 0, 0)
        question, name = pick(self.questions, random)
        return LabeledQuestion(text, _vary(question, random), *self.spans[name])


def perturb(text: str, random) -> str:
    """Change line breaks and case without moving any character."""
    if random.random() < 0.3:
        text = text.replace("\n", " ")
    elif random.random() < 0.3:
        text = "".join("\n" if c == " " and random.random() < 0.1 else c for c in text)
    if random.random() < 0.15:
        changed = text.lower() if random.random() < 0.6 else text.upper()
        # Changing the case of some letters changes the length of the text.
        text = changed if len(changed) == len(text) else text
    return text


def _vary(question: str, random) -> str:
    if random.random() < 0.2:
        question = question.lower()
    return question.rstrip("?") if random.random() < 0.15 else question


def pick(choices: Sequence, random):
    """Return one of `choices`."""
    return choices[int(random.integers(len(choices)))]


def several(choices: Sequence, count: int, random) -> list:
    """Return `count` different elements of `choices` in random order."""
    return [choices[i] for i in random.permutation(len(choices))[:count]]
