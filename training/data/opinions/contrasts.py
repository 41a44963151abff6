"""Two clauses: opposite ones, of which the second or the main clause dominates, or two with the same label."""

from training.data.everyday.page import pick
from training.data.opinions import everyday, negations
from training.data.opinions.phrases import Phrases

# Template and index of the clause that decides the sentiment; None: neither.
OPPOSITE = (
    ("{0} , but {1}", 1),
    ("{0} but {1}", 1),
    ("{0} . however , {1}", 1),
    ("{0} , yet {1}", 1),
    ("although {0} , {1}", 1),
    ("even though {0} , {1}", 1),
    ("{0} , even if {1}", 0),
    ("while {0} , {1}", 1),
    ("{0} . still , {1}", 1),
    ("{0} . on the other hand , {1}", None),
    ("{0} . at the same time {1}", None),
    ("partly {0} , partly {1}", None),
)
ALIKE = ("{0} , and {1}", "{0} . {1}", "{0} ; {1}", "{0} . what is more , {1}", "{0} and {1}")
DECIDED, UNDECIDED = 0.85, 0.5


def draw(phrases: Phrases, random) -> tuple[str, float]:
    """A sentence and the probability that it is positive."""
    first = int(random.random() < 0.5)
    if random.random() < 0.25:
        text = pick(ALIKE, random).format(_clause(first, phrases, random), _clause(first, phrases, random))
        return text, 0.97 if first else 0.03
    frame, decides = pick(OPPOSITE, random)
    labels = (first, 1 - first)
    text = frame.format(*(_clause(label, phrases, random) for label in labels))
    if decides is None:
        return text, UNDECIDED
    return text, DECIDED if labels[decides] else 1 - DECIDED


def _clause(label: int, phrases: Phrases, random) -> str:
    # A short phrase from SST-2, an adjective in a template, or an everyday opinion.
    kind = random.random()
    if kind < 0.4:
        return pick(phrases.short[label], random)
    if kind < 0.7:
        frame = pick(negations.PLAIN[:4], random)
        return frame.format(thing=pick(negations.THINGS, random), adjective=phrases.adjective(label, random))
    return everyday.opinion(label, random)
