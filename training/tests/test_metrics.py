"""The official metrics on manually computed cases, and the search for spans."""

import re

import numpy as np
import pytest

from training.config import SpanCosts
from training.data import squad as squad_data
from training.data import tokens
from training.metrics import answers, glue, squad
from training.models import build as models

TEMPERATURES = np.array([0.5, 1.0, 3.0])


def test_f1_and_accuracy():
    assert glue.f1(np.array([1, 1, 0, 0]), np.array([1, 0, 1, 0])) == {"f1": 50.0, "accuracy": 50.0}
    assert glue.f1(np.zeros(3), np.zeros(3))["f1"] == 0.0


def test_matthews():
    guesses, labels = np.array([1, 1, 1, 0, 0]), np.array([1, 1, 0, 0, 0])
    assert glue.matthews(guesses, labels)["matthews"] == pytest.approx(100 * (2 * 2 - 1 * 0) / np.sqrt(3 * 2 * 3 * 2))
    assert glue.matthews(np.ones(4), np.array([0, 1, 0, 1]))["matthews"] == 0.0


def test_ranks_share_ties():
    assert glue.ranks(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == [3.5, 1.0, 3.5, 2.0]
    grown = np.array([1.0, 2.0, 3.0, 4.0])
    assert glue.correlations(grown**3, grown)["spearman"] == pytest.approx(100)
    assert glue.correlations(grown**3, grown)["pearson"] < 99


def test_squad_normalization_and_f1():
    assert squad.normalize("The  Cat, an Owl!") == "cat owl"
    assert squad.exact("the cat", "Cat.") == 1.0
    assert squad.f1("black cat sat", "the cat") == pytest.approx(0.5)
    assert squad.f1("", "cat") == 0.0
    assert squad.f1("", "") == 1.0


def test_version_two_scores_both_groups():
    questions = [
        squad_data.Question("a", "?", 0, ((0, "cat"), (0, "black cat"))),
        squad_data.Question("b", "?", 0, ()),
        squad_data.Question("c", "?", 0, ()),
    ]
    data = squad_data.Squad(["cat"], [0], questions)
    found = squad.totals(data, {"a": "black cat", "b": "", "c": "dog"})
    assert found["n"] == 3
    assert found["exact_match"] == pytest.approx(200 / 3)
    assert found["HasAns_f1"] == 100.0
    assert found["NoAns_f1"] == 50.0
    assert "HasAns_f1" not in squad.totals(squad_data.Squad(["cat"], [0], questions[:1]), {"a": "cat"})


def test_answers_are_copied_from_the_source(world):
    data = squad_data.read_dev(world, "1.1")
    tokenizer = tokens.load(world.models / "tiny-squad")
    windows = squad_data.Windows(tokenizer, data, 40, 8, 6)
    model = models.load(world.models / "tiny-squad", "squad").eval()
    found = answers.predict(model, windows, TEMPERATURES, SpanCosts())
    assert found.keys() == {q.id for q in data.questions}
    for q in data.questions:
        text, score, null, masses, totals = found[q.id]
        assert (totals >= masses).all() and (masses * TEMPERATURES >= score - 1e-4).all()
        probabilities = found[q.id].probabilities(TEMPERATURES)
        assert (probabilities > 0).all() and (probabilities <= 1).all()
        assert text in data.paragraphs[q.paragraph]
        assert 1 <= len(text.split()) <= answers.MAX_ANSWER
        assert np.isfinite([score, null]).all()


def test_each_token_belongs_to_the_window_with_the_most_context(world):
    data = squad_data.read_dev(world, "1.1")
    windows = squad_data.Windows(tokens.load(world.models / "tiny-squad"), data, 30, 6, 6)
    has_max_context = answers.max_context(windows)
    of_question = [w for w in windows.windows if w.question == 0]
    assert len(of_question) > 2
    owners: dict[int, int] = {}
    for w in of_question:
        for position in range(w.count):
            if has_max_context(w, position):
                owners[w.first + position] = owners.get(w.first + position, 0) + 1
    assert owners == {piece: 1 for piece in range(len(windows.pieces[data.questions[0].paragraph]))}


def test_length_costs_of_a_span(world):
    text = "Ana has a lamp. It was lit: at 6.30! Why?\nNobody\n\nknows"
    asked = squad_data.Question("a", "who", 0, ())
    data = squad_data.Squad([text], [0], [asked])
    windows = squad_data.Windows(tokens.load(world.models / "tiny-squad"), data, 128, 64, 6)
    window = windows.windows[0]
    head = len(windows.questions[0]) + 2
    start, end = np.random.default_rng(3).normal(size=(2, head + window.count + 1))
    first, last = answers.deduct(SpanCosts(token=0.25, sentence=3.0), windows, window, start, end)
    assert (first[0], last[0]) == (start[0], end[0])
    each = []
    for a in range(window.count):
        for b in range(a, min(window.count, a + answers.MAX_ANSWER)):
            inside = text[windows.offsets[0][a][0] : windows.offsets[0][b][1]]
            ends = len(re.findall(r"[.!?:]\s+\S|(?<![.!?:\s])\n\s*\S", inside))
            cost = start[head + a] + end[head + b] - first[head + a] - last[head + b]
            assert np.isclose(cost, 0.25 * (b - a) + 3.0 * ends), inside
            each.append((start[head + a] + end[head + b] - cost, inside))
    scores = answers.span_scores(*answers.mask_logits(windows, window, first, last, answers.max_context(windows)))
    (_, found), score = answers.best_span(windows, window, scores)
    assert (np.round(score, 9), found) == max((np.round(score, 9), inside) for score, inside in each)


def test_best_span_wins(world):
    data = squad_data.read_dev(world, "1.1")
    windows = squad_data.Windows(tokens.load(world.models / "tiny-squad"), data, 128, 64, 6)
    window = windows.windows[0]
    head = len(windows.questions[window.question]) + 2
    start, end = np.full(head + window.count + 1, -5.0), np.full(head + window.count + 1, -5.0)
    start[head + 4], end[head + 6] = 3.0, 2.0
    start[0] = end[0] = 9.0  # the position of "no answer" isn't a span
    scores = answers.span_scores(*answers.mask_logits(windows, window, start, end, answers.max_context(windows)))
    (pieces, text), score = answers.best_span(windows, window, scores)
    assert text == " ".join(data.paragraphs[0].split()[4:7])
    assert (pieces, score) == ((4, 6), 5.0)
