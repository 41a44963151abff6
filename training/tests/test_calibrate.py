"""The threshold of no answer."""

import numpy as np

from training import calibrate
from training.config import Data, build
from training.data import squad
from training.steps import calibrate as calibrate_step
from training.tests.conftest import tiny


def best_by_trial(differences, answerable):
    cuts = np.concatenate([differences - 1e-9, differences + 1e-9])
    return max(np.mean((differences <= cut) == answerable) for cut in cuts)


def test_threshold_is_the_best_there_is():
    random = np.random.default_rng(8)
    for size in (2, 5, 40):
        for _ in range(50):
            differences = random.integers(-6, 6, size=size).astype(float)
            answerable = random.random(size) < 0.5
            cut, right = calibrate.threshold(differences, answerable)
            reached = np.mean((differences <= cut) == answerable)
            assert reached * 100 == right or np.isclose(reached * 100, right)
            assert np.isclose(reached, best_by_trial(differences, answerable))


def test_pairs_are_half_foreign(world):
    data = squad.read_train(world, skip_ambiguous=False)
    made = calibrate.pairs(data, 20, seed=1, settings=Data())
    own = {q.id: q for q in data.questions}
    assert made.answerable.sum() == 10
    assert made.kinds == ["plain", "foreign"] * 10
    for question, keep in zip(made.data.questions, made.answerable, strict=True):
        before = own[question.id]
        assert bool(question.answers) == keep
        assert (question.paragraph == before.paragraph) == keep
        if not keep:
            assert data.articles[question.paragraph] != data.articles[before.paragraph]


def test_answers_are_taken_away_by_the_shares():
    text = "Ada Byron lived in London. Charles Babbage lived in Leeds. It was late."
    asked = "Where was Ada Byron?"
    questions = [squad.Question(f"q{i}", asked, i, ((text.index("London"), "London"),)) for i in range(60)]
    data = squad.Squad([text] * 60, [i // 30 for i in range(60)], questions)
    kinds = {"removed": 0.3, "swapped": 0.3, "negated": 0.2, "opposed": 0.2}
    made = calibrate.pairs(data, 60, seed=2, settings=build(Data, {"unanswerable": kinds}, "here"))
    assert set(made.kinds) == {"plain", "removed", "swapped", "negated", "foreign"}  # no word has an opposite here
    for question, kind in zip(made.data.questions, made.kinds, strict=True):
        passage = made.data.paragraphs[question.paragraph]
        assert ("London" not in passage) == (kind == "removed")
        assert (question.text == "Where was Charles Babbage?") == (kind == "swapped")
        assert (question.text == "Where wasn't Ada Byron?") == (kind == "negated")


def test_what_is_found_is_told_by_kind():
    made = calibrate.Pairs(None, np.array([True, False, True, False]), ["plain", "swapped", "plain", "removed"])
    assert calibrate.found(np.array([-3.0, -2.0, 1.0, 4.0]), made, 0.0) == {
        "plain": 50.0,
        "removed": 100.0,
        "swapped": 0.0,
    }


def test_step_leaves_the_threshold(world, capsys):
    config = tiny("null", task="squad", models={"init": "models:tiny-squad"}, data={"max_length": 64, "limit": 10})
    calibrate_step.run(config, world)
    assert '"pairs": 10' in capsys.readouterr().out
    assert (world.run("null") / "null.json").exists()
