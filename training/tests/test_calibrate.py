"""The threshold of no answer."""

import numpy as np

from training import calibrate
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
    mixed, answerable = calibrate.pairs(data, 20, seed=1, near=0.0)
    own = {q.id: q for q in data.questions}
    assert answerable.sum() == 10
    for question, keep in zip(mixed.questions, answerable, strict=True):
        before = own[question.id]
        assert bool(question.answers) == keep
        assert (question.paragraph == before.paragraph) == keep
        if not keep:
            assert data.articles[question.paragraph] != data.articles[before.paragraph]


def test_step_leaves_the_threshold(world, capsys):
    config = tiny("null", task="squad", models={"init": "models:tiny-squad"}, data={"max_length": 64, "limit": 10})
    calibrate_step.run(config, world)
    assert '"pairs": 10' in capsys.readouterr().out
    assert (world.run("null") / "null.json").exists()
