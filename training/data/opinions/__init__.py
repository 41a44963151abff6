"""Rule-based sentences with a known sentiment: negations, contrasts, facts without an opinion, everyday opinions.

SST-2 consists of phrases about films, all of them positive or negative. People also write "not good", about things
other than films, and without any opinion. The target is the probability of "positive": 0.5 means that a text has no
opinion, or is equally positive and negative.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from training.data.glue import Row
from training.data.opinions import contrasts, everyday, facts, negations, writing
from training.data.opinions.phrases import Phrases


@dataclass(frozen=True)
class Made:
    """A generated text and the probability that it is positive."""

    text: str
    positive: float


class Maker:
    """Generates sentences of each kind; `paragraphs` are texts from which facts are taken."""

    def __init__(self, rows: Sequence[Row], paragraphs: Sequence[str]):
        self.phrases = Phrases(rows)
        self.facts = facts.Facts(paragraphs, self.phrases.polar)

    def sentence(self, random) -> Made:
        """A whole sentence of the training file."""
        return Made(*self.phrases.sentence(random))

    def negated(self, random) -> Made:
        """A negated adjective from SST-2, or an adjective without a negation."""
        return Made(*negations.draw(self.phrases, random))

    def contrast(self, random) -> Made:
        """Two opposite phrases, one of which usually dominates, or two with the same label."""
        return Made(*contrasts.draw(self.phrases, random))

    def fact(self, random) -> Made:
        """A text without an opinion."""
        return Made(self.facts.draw(random), 0.5)

    def everyday(self, random) -> Made:
        """An opinion about something that isn't a film."""
        return Made(*everyday.draw(random))

    def draw(self, kind: str, random) -> Made:
        """A sentence of one kind in everyday spelling."""
        made = getattr(self, kind)(random)
        return Made(writing.vary(made.text, random), made.positive)
