"""Rule-based sentences with a known sentiment: negations, contrasts, facts without an opinion, everyday opinions.

SST-2 consists of phrases about films, all of them positive or negative. People also write "not good", about things
other than films, and without any opinion. The target is the probability of "positive": 0.5 means that a text has no
opinion, or is equally positive and negative.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from training.data.glue import Row
from training.data.opinions import contrasts, everyday, facts, negations, writing
from training.data.opinions.phrases import Phrases
from training.errors import TrainingError


@dataclass(frozen=True)
class Sentence:
    """A generated text and the probability that it is positive."""

    text: str
    positive: float


class SentenceGenerator:
    """Generates sentences of each kind; `paragraphs` are texts from which facts are taken."""

    def __init__(self, rows: Sequence[Row], paragraphs: Sequence[str]):
        self.phrases = Phrases(rows)
        self.facts = facts.Facts(paragraphs, self.phrases.polar)

    def check(self, kinds: Iterable[str]) -> None:
        """Reject a training file that lacks the phrases which sentences of these kinds are made from."""
        needed = {
            "sentence": {"whole sentences": self.phrases.sentences},
            "negated": {"adjectives": self.phrases.adjectives},
            "contrast": {"adjectives": self.phrases.adjectives, "phrases of 3 to 9 words": self.phrases.short},
        }
        for kind in kinds:
            for name, by_label in needed.get(kind, {}).items():
                if not all(by_label):
                    raise TrainingError(
                        f"'{kind}' in 'data.opinions' requires positive and negative {name} in the training rows; "
                        "increase 'limit' in 'data', or set it to 0"
                    )

    def sentence(self, random) -> Sentence:
        """A whole sentence of the training file."""
        return Sentence(*self.phrases.sentence(random))

    def negated(self, random) -> Sentence:
        """A negated adjective from SST-2, or an adjective without a negation."""
        return Sentence(*negations.draw(self.phrases, random))

    def contrast(self, random) -> Sentence:
        """Two opposite phrases, one of which usually dominates, or two with the same label."""
        return Sentence(*contrasts.draw(self.phrases, random))

    def fact(self, random) -> Sentence:
        """A text without an opinion."""
        return Sentence(self.facts.draw(random), 0.5)

    def everyday(self, random) -> Sentence:
        """An opinion about something that isn't a film."""
        return Sentence(*everyday.draw(random))

    def draw(self, kind: str, random) -> Sentence:
        """A sentence of one kind in everyday spelling."""
        sentence = getattr(self, kind)(random)
        return Sentence(writing.vary(sentence.text, random), sentence.positive)
