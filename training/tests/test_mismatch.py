"""Mismatched questions and paragraphs."""

import numpy as np
import pytest

from training.calibration import unanswered
from training.config import Data
from training.data import squad
from training.data.unanswerable.pairings import Mismatches
from training.errors import TrainingError

PARAGRAPHS = [
    "Ada wrote the first program.",
    "The engine was never built.",
    "Rain fell on Oslo.",
    "ADA lived in London.",
]
ARTICLES = [0, 0, 1, 0]


def data():
    asked = [("who wrote it?", 0, "Ada"), ("what was never built?", 1, "engine"), ("where did rain fall?", 2, "Oslo")]
    questions = [
        squad.Question(f"q{i}", text, p, ((PARAGRAPHS[p].index(answer), answer),))
        for i, (text, p, answer) in enumerate(asked)
    ]
    return squad.Squad(PARAGRAPHS, ARTICLES, questions)


def draws(near: float, seed: int = 1):
    found, random = data(), np.random.default_rng(seed)
    mismatches = Mismatches(found, range(3), near)
    paragraphs = [mismatches.paragraph_for(found.questions[0], random) for _ in range(200)]
    questions = [mismatches.question_for(1, random) for _ in range(200)]
    return paragraphs, questions


def test_far_paragraphs_are_from_another_article():
    paragraphs, questions = draws(near=0.0)
    assert set(paragraphs) == {2}
    assert set(questions) == {2}


def test_near_paragraphs_are_from_the_same_article_and_lack_the_answer():
    paragraphs, questions = draws(near=1.0)
    # Paragraph 3 contains Ada in another case; paragraph 0 is the question's own.
    assert set(paragraphs) == {1}
    assert set(questions) == {0}


def test_fraction_of_near_paragraphs_is_as_configured():
    paragraphs, _ = draws(near=0.5)
    assert 0.4 < np.mean([ARTICLES[p] == 0 for p in paragraphs]) < 0.6


def test_another_article_is_used_if_the_article_has_no_candidate():
    found = data()
    mismatches = Mismatches(found, range(3), near=1.0)
    assert ARTICLES[mismatches.paragraph_for(found.questions[2], np.random.default_rng(1))] == 0


def test_calibration_uses_near_paragraphs_too(world):
    given = squad.read_train(world, skip_ambiguous=False)
    sample = unanswered.sample(given, 40, seed=1, settings=Data(near=1.0))
    originals = {q.id: q for q in given.questions}
    moved = [q for q, keep in zip(sample.data.questions, sample.answerable, strict=True) if not keep]
    near = [q for q in moved if given.articles[q.paragraph] == given.articles[originals[q.id].paragraph]]
    assert near
    for q in near:
        assert originals[q.id].answers[0][1] not in given.paragraphs[q.paragraph]


def test_single_article_is_rejected():
    one = squad.Squad(PARAGRAPHS, [0] * 4, data().questions)
    with pytest.raises(TrainingError, match="file with at least two articles"):
        Mismatches(one, range(3), near=0.0)


def test_questions_from_a_single_article_are_rejected():
    with pytest.raises(TrainingError, match="questions from at least two articles"):
        Mismatches(data(), range(2), near=0.0)
