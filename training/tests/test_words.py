"""Scoring masked words."""

import json

import numpy as np
import pytest
import torch

from training.metrics import words
from training.steps import corpus, evaluate
from training.tests.conftest import tiny


def test_word_is_correct_only_if_it_is_strictly_most_probable():
    logits = torch.tensor([[0.0, 2.0, 1.0], [0.0, 0.0, 0.0], [3.0, 2.0, 1.0], [float("nan")] * 3])
    rows = words.summary(logits, torch.tensor([1, 1, 1, 1]))
    assert rows[:, 0].tolist() == [0.0, 2.0, 1.0, 2.0]
    assert rows[0, 1] == pytest.approx(2.0 - np.log(np.exp(0.0) + np.exp(2.0) + np.exp(1.0)), abs=1e-6)
    assert rows[1, 1] == pytest.approx(-np.log(3), abs=1e-6)


def test_figures_include_the_best_constant_guess():
    rows = np.array([[0, np.log(0.5)], [3, np.log(0.25)], [7, np.log(0.125)], [0, np.log(0.5)]])
    found = words.figures(rows, np.array([9, 4, 9, 9]))
    assert found == {"n": 4, "accuracy": 50.0, "top_5": 75.0, "perplexity": pytest.approx(2**1.75), "chance": 75.0}


def test_untrained_model_is_not_better_than_chance(world, monkeypatch, capsys):
    monkeypatch.setattr(words, "BATCHES", 2)
    books = {"files": ["text/books.txt"], "corpus": "words-books", "sequence_length": 32}
    settings = {"task": "text", "models": {"init": "models:tiny-text"}, "data": books}
    corpus.run(tiny("words-books", **settings), world)
    capsys.readouterr()
    evaluate.run(tiny("words-scored", **settings), world)
    found = json.loads(capsys.readouterr().out)
    assert found["n"] > 50
    assert found["accuracy"] <= found["chance"] < 20
    assert found["perplexity"] > 1000
