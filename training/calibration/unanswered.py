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
class Sample:
    """Questions, every second one without its answer."""

    data: Squad
    answerable: np.ndarray
    kinds: list[str]  # "plain", or how the answer was removed


def sample(data: Squad, count: int, seed: int, settings: Data) -> Sample:
    """`count` questions of `data`, every second one without its answer.

    How the answer is removed is drawn by the fractions in `settings` ('mismatch', 'near' and 'unanswerable'). If they
    are all 0, or the drawn kind can't be applied to a question, the question is asked about an unrelated paragraph.
    """
    random = np.random.default_rng([seed, 4])
    chosen = [data.questions[i] for i in random.permutation(len(data.questions))[:count]]
    answerable = np.arange(len(chosen)) % 2 == 0
    remover = _AnswerRemover(data, settings, random)
    drawn = [("plain", q) if keep else remover.without_answer(q) for q, keep in zip(chosen, answerable, strict=True)]
    articles = data.articles + [-1] * (len(remover.paragraphs) - len(data.articles))
    return Sample(Squad(remover.paragraphs, articles, [q for _, q in drawn]), answerable, [kind for kind, _ in drawn])


class _AnswerRemover:
    def __init__(self, data: Squad, settings: Data, random):
        self.data, self.random = data, random
        self.paragraphs = list(data.paragraphs)
        numbers = range(len(data.questions))
        self.pairings = {kind: make(data, numbers, settings.near) for kind, make in kinds.PAIRINGS.items()}
        fractions = kinds.fractions(settings)
        total = sum(fractions.values())
        self.fractions = {kind: fraction / total for kind, fraction in fractions.items()} if total else {"foreign": 1.0}

    def without_answer(self, question: Question) -> tuple[str, Question]:
        kind = str(self.random.choice(list(self.fractions), p=list(self.fractions.values())))
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


def accuracy_by_kind(differences: np.ndarray, sample: Sample, threshold: float) -> dict[str, float]:
    """Percentage of each kind that is decided correctly by `threshold`."""
    is_null, kind_of = differences > threshold, np.array(sample.kinds)
    return {
        kind: 100 * float(np.mean(is_null[kind_of == kind] == (kind != "plain"))) for kind in sorted(set(sample.kinds))
    }
