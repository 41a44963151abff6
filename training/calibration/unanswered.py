"""Questions for fitting the threshold of "no answer": training questions whose answer has been removed.

SQuAD v1.1 has no unanswerable questions. They are constructed by asking a question about another paragraph, by
rewording it, or by removing the sentences with the answer from the passage (see `data/unanswerable`).
"""

import dataclasses

import numpy as np

from training.config import Data
from training.data.squad import Question, Squad
from training.data.unanswerable import kinds


@dataclasses.dataclass(frozen=True)
class Pairs:
    """Questions, every second one without its answer."""

    data: Squad
    answerable: np.ndarray
    kinds: list[str]  # "plain", or how the answer was removed


def pairs(data: Squad, count: int, seed: int, settings: Data) -> Pairs:
    """`count` questions of `data`, every second one without its answer.

    How the answer is removed is drawn by the fractions in `settings` ('mismatch', 'near' and 'unanswerable'). If they
    are all 0, or the drawn kind can't be applied to a question, the question is asked about an unrelated paragraph.
    """
    random = np.random.default_rng([seed, 4])
    chosen = [data.questions[i] for i in random.permutation(len(data.questions))[:count]]
    answerable = np.arange(len(chosen)) % 2 == 0
    maker = _Maker(data, settings, random)
    made = [("plain", q) if keep else maker.without_answer(q) for q, keep in zip(chosen, answerable, strict=True)]
    articles = data.articles + [-1] * (len(maker.paragraphs) - len(data.articles))
    return Pairs(Squad(maker.paragraphs, articles, [q for _, q in made]), answerable, [kind for kind, _ in made])


class _Maker:
    def __init__(self, data: Squad, settings: Data, random):
        self.data, self.random = data, random
        self.paragraphs = list(data.paragraphs)
        every = range(len(data.questions))
        self.pairings = {kind: make(data, every, settings.near) for kind, make in kinds.PAIRINGS.items()}
        shares = kinds.fractions(settings)
        total = sum(shares.values())
        self.shares = {kind: share / total for kind, share in shares.items()} if total else {"foreign": 1.0}

    def without_answer(self, question: Question) -> tuple[str, Question]:
        kind = str(self.random.choice(list(self.shares), p=list(self.shares.values())))
        changed = self._change(kind, question)
        if changed is None:
            kind, changed = "foreign", self._change("foreign", question)
        text, paragraph = changed
        return kind, Question(question.id, text, paragraph, ())

    def _change(self, kind: str, question: Question) -> tuple[str, int] | None:
        """The text of the question and its paragraph, or None if the kind can't be applied."""
        passage = self.data.paragraphs[question.paragraph]
        if kind in kinds.PAIRINGS:
            paragraph = self.pairings[kind].paragraph_for(question, self.random)
            return None if paragraph is None else (question.text, paragraph)
        if kind in kinds.REWORDINGS:
            text = kinds.REWORDINGS[kind](question, passage, self.random)
            return None if text is None else (text, question.paragraph)
        kept = kinds.REMOVALS[kind](question, passage)
        if kept is None:
            return None
        self.paragraphs.append(" ".join(passage[a:b] for a, b in kept))
        return question.text, len(self.paragraphs) - 1


def found(differences: np.ndarray, made: Pairs, cut: float) -> dict[str, float]:
    """Percentage of each kind that is decided correctly by the threshold `cut`."""
    said, kinds = differences > cut, np.array(made.kinds)
    return {kind: 100 * float(np.mean(said[kinds == kind] == (kind != "plain"))) for kind in sorted(set(made.kinds))}
