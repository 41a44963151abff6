"""Sentences with a known sentiment, made by rules: negations, contrasts, facts without an opinion, everyday opinions.

SST-2 consists of phrases about films, all of them positive or negative. People also write "not good", about other
things than films, and without any opinion at all. A target is the probability of "positive": 0.5 says that a text has
no opinion or an equal share of both.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from training.data.glue import Row
from training.data.opinions import contrasts, everyday, facts, negations, writing
from training.data.opinions.phrases import Phrases


@dataclass(frozen=True)
class Made:
    """A text and the probability that it is positive."""

    text: str
    positive: float


class Maker:
    """Makes sentences of each kind; `paragraphs` is plain text to take facts from."""

    def __init__(self, rows: Sequence[Row], paragraphs: Sequence[str]):
        self.phrases = Phrases(rows)
        self.facts = facts.Facts(paragraphs, self.phrases.polar)

    def sentence(self, random) -> Made:
        """A whole sentence of the training file."""
        return Made(*self.phrases.sentence(random))

    def negated(self, random) -> Made:
        """A negation of one of SST-2's adjectives, or the same frame without a negation."""
        return Made(*negations.draw(self.phrases, random))

    def contrast(self, random) -> Made:
        """Two opposite phrases, of which one counts for more, or two of one label."""
        return Made(*contrasts.draw(self.phrases, random))

    def fact(self, random) -> Made:
        """A text without an opinion."""
        return Made(self.facts.draw(random), 0.5)

    def everyday(self, random) -> Made:
        """An opinion about something that isn't a film."""
        return Made(*everyday.draw(random))

    def draw(self, kind: str, random) -> Made:
        """A sentence of one kind, written as people write."""
        made = getattr(self, kind)(random)
        return Made(writing.vary(made.text, random), made.positive)
