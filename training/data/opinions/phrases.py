"""SST-2's phrases, grouped for use in rule-based sentences."""

from collections import Counter
from collections.abc import Sequence

from training.data.everyday.page import pick
from training.data.glue import Row

DEGREES = frozenset("very too so really more most quite rather truly utterly extremely incredibly surprisingly".split())
# Function words, which are associated with one label only by chance.
PLAIN = frozenset("a an and as at be but by for from has have in is it its of on or that the this to was with".split())
LEAST_COUNT, LEAST_SHARE = 4, 0.8


class Phrases:
    """Adjectives, short phrases and whole sentences by label (1: positive)."""

    def __init__(self, rows: Sequence[Row]):
        split = [(row.first.split(), int(row.label), row.first) for row in rows]
        after_degree = {b for words, _, _ in split for a, b in zip(words, words[1:], strict=False) if a in DEGREES}
        self.polar = _polar(split)
        self.adjectives: tuple[list[str], list[str]] = ([], [])
        self.short: tuple[list[str], list[str]] = ([], [])
        self.sentences: tuple[list[str], list[str]] = ([], [])
        for words, label, text in split:
            if len(words) == 1 and words[0] in after_degree and self.polar.get(words[0]) == label:
                self.adjectives[label].append(text)
            if 3 <= len(words) <= 9 and words[-1].isalpha() and words[0].isalpha():
                self.short[label].append(text)
            if len(words) >= 8 and words[-1] == ".":
                self.sentences[label].append(text)

    def adjective(self, label: int, random) -> str:
        """An adjective with this label in SST-2, both on its own and in most phrases."""
        return pick(self.adjectives[label], random)

    def sentence(self, random) -> tuple[str, float]:
        """A random whole sentence and its label."""
        label = int(random.random() < 0.5)
        return pick(self.sentences[label], random), float(label)


def _polar(split) -> dict[str, int]:
    # Labels of words that have the same label in most phrases of at most three words.
    counts = (Counter(), Counter())
    for words, label, _ in split:
        if len(words) <= 3:
            counts[label].update(set(words) - PLAIN)
    polar = {}
    for word in counts[0].keys() | counts[1].keys():
        negative, positive = counts[0][word], counts[1][word]
        if negative + positive >= LEAST_COUNT and max(negative, positive) >= LEAST_SHARE * (negative + positive):
            polar[word] = int(positive > negative)
    return polar
