"""The kinds of unanswerable questions: the one table that training and calibration share.

A kind pairs a question with another paragraph, rewords the question, or removes sentences from the passage. Its name is
also the key of its fraction in the configuration (`data.unanswerable`; "foreign" is `data.mismatch`).
"""

import dataclasses
from collections.abc import Callable, Sequence

from training.config import Data
from training.data.squad import Question, Squad
from training.data.unanswerable import questions, sentences
from training.data.unanswerable.pairings import Mismatches, Neighbors

# (file, indices of the questions that may be drawn, fraction from the same article) → the pairing.
PAIRINGS: dict[str, Callable[[Squad, Sequence[int], float], Mismatches | Neighbors]] = {
    "foreign": Mismatches,
    "neighbor": lambda data, questions, near: Neighbors(data, questions),
}

# (question, its passage, random generator) → the changed question; None if it can't be changed.
REWORDINGS: dict[str, Callable] = {
    "swapped": lambda question, passage, random: questions.swapped(
        question.text, passage, *question.answers[0], random
    ),
    "negated": lambda question, passage, random: questions.negated(question.text),
    "opposed": lambda question, passage, random: questions.opposed(question.text, passage, random),
}

# (question, its passage) → start and end of each remaining sentence; None if the sentences can't be removed.
REMOVALS: dict[str, Callable[[Question, str], list[tuple[int, int]] | None]] = {
    "removed": lambda question, passage: sentences.without(passage, question.answers[0][1]),
}


def fractions(data: Data) -> dict[str, float]:
    """The configured fraction of each kind."""
    return {"foreign": data.mismatch, **dataclasses.asdict(data.unanswerable)}
