"""When to say that a passage holds no answer: a threshold from mismatched pairs made of training questions.

SQuAD v1.1 has no unanswerable questions. A question put to another paragraph stands in for one: an easier case than
v2.0's, whose unanswerable questions were written to look answerable.
"""

import numpy as np

from training.data.mismatch import Mismatches
from training.data.squad import Question, Squad


def pairs(data: Squad, count: int, seed: int, near: float) -> tuple[Squad, np.ndarray]:
    """`count` questions of `data`, every second one moved to a foreign paragraph; and which have an answer.

    `near`: share of the foreign paragraphs that are of the question's own article.
    """
    mismatches = Mismatches(data, range(len(data.questions)), near)
    random = np.random.default_rng([seed, 4])
    chosen = [data.questions[i] for i in random.permutation(len(data.questions))[:count]]
    questions, answerable = [], np.arange(len(chosen)) % 2 == 0
    for question, keep in zip(chosen, answerable, strict=True):
        paragraph = question.paragraph if keep else mismatches.paragraph_for(question, random)
        answers = question.answers if keep else ()
        questions.append(Question(question.id, question.text, paragraph, answers))
    return Squad(data.paragraphs, data.articles, questions), answerable


def threshold(differences: np.ndarray, answerable: np.ndarray) -> tuple[float, float]:
    """The cut on (no answer − best answer) with the most right decisions, and their share in per cent.

    A difference above the cut means no answer. Of equally good cuts the middle one counts.
    """
    order = np.argsort(differences, kind="stable")
    sorted_differences, has = differences[order], answerable[order]
    # right[i]: the first i are called answerable, the others not
    right = np.concatenate([[0], np.cumsum(has)]) + (~has).sum() - np.concatenate([[0], np.cumsum(~has)])
    same = np.concatenate([[False], sorted_differences[1:] == sorted_differences[:-1], [False]])
    right = np.where(same, -1, right)  # no cut falls between equal values
    best = np.flatnonzero(right == right.max())
    place = int(best[len(best) // 2])
    below = sorted_differences[place - 1] if place else sorted_differences[0] - 1
    above = sorted_differences[place] if place < len(differences) else sorted_differences[-1] + 1
    return float((below + above) / 2), 100 * float(right.max()) / len(differences)
