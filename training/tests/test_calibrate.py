"""Fitting temperatures and thresholds."""

import json

import numpy as np
import pytest

from training.calibration import fit, labels, unanswered
from training.config import Data, build
from training.data import squad
from training.errors import TrainingError
from training.steps import calibrate as calibrate_step
from training.steps import export
from training.tests.conftest import tiny


def best_by_trial(differences, answerable):
    cuts = np.concatenate([differences - 1e-9, differences + 1e-9])
    return max(np.mean((differences <= cut) == answerable) for cut in cuts)


def test_threshold_is_optimal():
    random = np.random.default_rng(8)
    for size in (2, 5, 40):
        for _ in range(50):
            differences = random.integers(-6, 6, size=size).astype(float)
            answerable = random.random(size) < 0.5
            cut, right = fit.threshold(differences, answerable)
            reached = np.mean((differences <= cut) == answerable)
            assert reached * 100 == right or np.isclose(reached * 100, right)
            assert np.isclose(reached, best_by_trial(differences, answerable))


def test_threshold_respects_the_weight_of_unanswerable_rows():
    differences = np.array([-3.0, -1.0, -1.5, 2.0])
    answerable = np.array([True, True, False, False])
    # One of the two in the middle must be wrong.
    assert -1.0 < fit.threshold(differences, answerable, 0.25)[0] < 2.0
    assert -3.0 < fit.threshold(differences, answerable, 4.0)[0] < -1.5


def test_threshold_keeps_the_requested_share():
    random = np.random.default_rng(9)
    for size in (1, 2, 7, 60):
        for _ in range(50):
            differences, scores = random.integers(-9, 9, size=size).astype(float), random.random(size)
            share = random.random()
            cut = fit.threshold_keeping(differences, scores, share)
            kept = differences <= cut
            assert scores[kept].sum() >= share * scores.sum() - 1e-6
            assert scores[differences < differences[kept].max()].sum() < share * scores.sum()


def test_half_of_the_sample_is_mismatched(world):
    data = squad.read_train(world, skip_ambiguous=False)
    sample = unanswered.sample(data, 20, seed=1, settings=Data())
    originals = {q.id: q for q in data.questions}
    assert sample.answerable.sum() == 10
    assert sample.kinds == ["plain", "foreign"] * 10
    for question, keep in zip(sample.data.questions, sample.answerable, strict=True):
        before = originals[question.id]
        assert bool(question.answers) == keep
        assert (question.paragraph == before.paragraph) == keep
        if not keep:
            assert data.articles[question.paragraph] != data.articles[before.paragraph]


def test_answers_are_removed_by_the_configured_fractions():
    text = "Ada Byron lived in London. Charles Babbage lived in Leeds. It was late."
    asked = "Where was Ada Byron?"
    questions = [squad.Question(f"q{i}", asked, i, ((text.index("London"), "London"),)) for i in range(60)]
    data = squad.Squad([text] * 60, [i // 30 for i in range(60)], questions)
    kinds = {"removed": 0.3, "swapped": 0.3, "negated": 0.2, "opposed": 0.2}
    sample = unanswered.sample(data, 60, seed=2, settings=build(Data, {"unanswerable": kinds}, "here"))
    assert set(sample.kinds) == {
        "plain",
        "removed",
        "swapped",
        "negated",
        "foreign",
    }  # none of the words has an opposite
    for question, kind in zip(sample.data.questions, sample.kinds, strict=True):
        passage = sample.data.paragraphs[question.paragraph]
        assert ("London" not in passage) == (kind == "removed")
        assert (question.text == "Where was Charles Babbage?") == (kind == "swapped")
        assert (question.text == "Where wasn't Ada Byron?") == (kind == "negated")


def test_results_are_reported_by_kind():
    sample = unanswered.Sample(None, np.array([True, False, True, False]), ["plain", "swapped", "plain", "removed"])
    assert unanswered.accuracy_by_kind(np.array([-3.0, -2.0, 1.0, 4.0]), sample, 0.0) == {
        "plain": 50.0,
        "removed": 100.0,
        "swapped": 0.0,
    }


def test_calibration_uses_untrained_questions_and_is_exported(world, monkeypatch, capsys):
    used, draw = [], unanswered.sample
    monkeypatch.setattr(calibrate_step.unanswered, "sample", lambda data, *rest: used.append(data) or draw(data, *rest))
    config = tiny(
        "null",
        task="squad",
        models={"init": "models:tiny-squad"},
        data={"max_length": 64, "limit": 10, "span_costs": {"token": 0.25}},
    )
    calibrate_step.run(config, world)
    figures = json.loads(capsys.readouterr().out)
    assert figures["rows"] == 10
    trained = {q.id for q in squad.read_train(world, skip_ambiguous=True).questions}
    assert not trained & {q.id for q in used[0].questions}
    assert set(figures["calibration"]) == {"temperature", "null_bias", "null_threshold", "unsure_below"}
    export.run(config, world)
    settings = json.loads((world.run("null") / "export" / "config.json").read_text())
    assert settings["calibration"] == figures["calibration"]
    assert settings["span_costs"] == {"token": 0.25, "sentence": 0.0}


def test_temperature_corrects_overconfident_scores():
    random = np.random.default_rng(4)
    # Correct log odds, scaled by three.
    logits = np.where(random.random(20000) < 0.8, 1, -1) * random.random(20000) * 9
    truths = (random.random(20000) < 1 / (1 + np.exp(-logits / 3))).astype(float)
    each = [1 / (1 + np.exp(-logits / t)) for t in fit.TEMPERATURES]
    assert abs(fit.TEMPERATURES[fit.closest(each, truths)] - 3.0) < 0.3


def test_neutral_zone_lies_between_the_labels():
    random = np.random.default_rng(4)
    negative, positive = random.random(300) * 0.3, 0.8 + random.random(300) * 0.2
    low, high, decided = labels.neutral_zone(negative, 0.4 + random.random(300) * 0.3, positive)
    assert 0.3 <= low <= 0.41 and 0.69 <= high <= 0.81 and decided == 1.0


def test_file_without_whole_sentences_is_rejected(world):
    with pytest.raises(TrainingError, match="no whole sentences"):
        calibrate_step.run(tiny("labels", models={"init": "models:tiny"}, loop={"held_out": 10}), world)
