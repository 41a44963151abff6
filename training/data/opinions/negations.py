"""Adjectives in templates with and without a negation."""

from training.data.everyday.page import pick
from training.data.opinions.phrases import Phrases
from training.data.opinions.things import THINGS

PLAIN = (
    "{thing} is {adjective}",
    "{thing} was {adjective}",
    "{thing} was really {adjective}",
    "{thing} is so {adjective}",
    "i found {thing} {adjective}",
    "{adjective}",
    "very {adjective}",
    "{thing} : {adjective}",
    "not only {adjective} but also {second}",
    "{adjective} and {second}",
)
NEGATED = (
    "{thing} is not {adjective}",
    "{thing} is n't {adjective}",
    "{thing} was n't {adjective} at all",
    "{thing} was not very {adjective}",
    "{thing} was not {adjective} , not even close",
    "i did not find {thing} {adjective}",
    "i would n't call {thing} {adjective}",
    "not {adjective}",
    "not {adjective} at all",
    "not that {adjective}",
    "never {adjective}",
    "hardly {adjective}",
    "{thing} is hardly {adjective}",
    "{thing} is anything but {adjective}",
    "far from {adjective}",
    "{thing} is neither {adjective} nor {second}",
    "no one would call {thing} {adjective}",
)
# "not bad" is weaker than "good", but "not good" is as negative as "bad".
TARGETS = {0: 0.75, 1: 0.06}


def draw(phrases: Phrases, random) -> tuple[str, float]:
    """A sentence and the probability that it is positive."""
    label, negated = int(random.random() < 0.5), random.random() < 0.65
    frame = pick(NEGATED if negated else PLAIN, random)
    first, second = phrases.adjective(label, random), phrases.adjective(label, random)
    text = frame.format(thing=pick(THINGS, random), adjective=first, second=second)
    if negated:
        return text, TARGETS[label]
    return text, 0.96 if label else 0.04
