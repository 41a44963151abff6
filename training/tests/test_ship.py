"""The shipped model: 8 bits, scored by the engine on whole files, with a card that can be held against them."""

import hashlib
import re
import shutil
from dataclasses import replace

import pytest

from training import checkpoint, confidence, engine
from training.errors import TrainingError
from training.steps import calibrate, export, finetune, ship
from training.tests.conftest import tiny

try:
    engine.find()
    MISSING = ""
except TrainingError as missing:
    MISSING = str(missing)


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
@pytest.mark.parametrize("task", ["sst2", "squad"])
def test_the_card_says_what_stands_beside_it(world, tmp_path, task):
    places = replace(world, shipped=tmp_path)
    config = tiny(f"ship-{task}", task=task, models={"init": "models:tiny" + ("-squad" if task == "squad" else "")})
    finetune.run(config, places)
    if task == "squad":
        calibrate.run(config, places)
        shutil.copyfile(places.data / "squad" / "dev-v1.1.json", places.data / "squad" / "dev-v2.0.json")
    export.run(config, places)
    old = tmp_path / config.name / "left-over"
    old.parent.mkdir()
    old.write_text("of an earlier model")
    ship.run(config, places)
    folder = tmp_path / config.name
    assert not old.exists()
    text = (folder / "README.md").read_text()
    sums = dict(re.findall(r"\| (\S+) \| \d+ \| `([0-9a-f]{64})` \|", text))
    assert set(sums) == {path.name for path in folder.iterdir()} - {"README.md"}
    for name, stated in sums.items():
        assert stated == hashlib.sha256((folder / name).read_bytes()).hexdigest()
    for heading in ("Architecture", "Recipe", "Data and licences", "Scores", "Ten examples", "Known failures"):
        assert f"\n## {heading}\n" in text
    assert "| q8, as shipped | " in text
    assert ("SQuAD v2.0, whole dev set (12 questions)" in text) == (task == "squad")


def test_a_model_that_was_not_exported_is_not_shipped(world):
    with pytest.raises(TrainingError, match="run the step 'export'"):
        ship.run(tiny("never-exported"), world)


@pytest.mark.parametrize("task", ["mrpc", "stsb", "text"])
def test_tasks_that_it_cannot_score_are_refused(world, task):
    with pytest.raises(TrainingError, match="scores questions and labels of single texts"):
        ship.run(tiny("pairs", task=task), world)


def test_a_copy_that_fails_leaves_what_stood_there(tmp_path):
    target = tmp_path / "model"
    target.mkdir()
    (target / "weights").write_text("old")
    with pytest.raises(TrainingError, match="could not be written"):
        checkpoint.replace_folder(tmp_path / "absent", target)
    assert (target / "weights").read_text() == "old"


def test_examples_are_half_mistakes_where_there_are_as_many():
    right = [i % 3 > 0 for i in range(60)]
    chosen = ship.pick(right, 1)
    assert [right[i] for i in chosen] == [True] * 5 + [False] * 5
    assert chosen == ship.pick(right, 1) != ship.pick(right, 2)
    assert len(ship.pick([True] * 3 + [False], 1)) == 4


def test_an_engine_that_fails_is_quoted(tmp_path):
    program = tmp_path / "mobilebert"
    program.write_text("#!/bin/sh\necho something else >&2\necho 'error: no such thing' >&2\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(TrainingError, match="no such thing"):
        engine.Engine(str(program)).quantize(tmp_path, "q8", tmp_path / "out")


def test_intervals_are_the_textbooks():
    # Newcombe 1998, example (a): 81 of 263.
    low, high = confidence.wilson(81, 263)
    assert (low, high) == pytest.approx((25.53, 36.62), abs=0.01)
    low, high = confidence.bootstrap([0.0, 1.0] * 500)
    # 0.5 ± 1.96 · √(0.25 / 1000)
    assert (low, high) == pytest.approx((0.469, 0.531), abs=0.005)
    assert confidence.bootstrap([1.0] * 10) == (1.0, 1.0)
