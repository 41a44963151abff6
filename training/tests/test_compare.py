"""Comparisons of several variants and seeds in one table."""

import json

import pytest
import torch

from training import quantize
from training.errors import TrainingError
from training.steps import compare, evaluate
from training.tasks import glue
from training.tests.conftest import TINY_STUDENT

BASE = {
    "name": "base",
    "student": TINY_STUDENT,
    "models": {"teacher": "models:tiny"},
    "loss": {"feature_maps": 1.0, "soft": 1.0},
    "transfer": {"strategy": "auxiliary"},
    "optim": {"steps": 2, "batch_size": 8},
    "loop": {"held_out": 0},
}
FILE = """
name = "comparison"
base = "base.toml"
metric = "accuracy"
seeds = [1, 2]

[variants]
maps = {}
no-maps = { loss = { feature_maps = 0.0 } }
"""


def toml(table: dict) -> str:
    """Serialize a table of scalars and one level of sections."""
    lines = [f"{k} = {json.dumps(v)}" for k, v in table.items() if not isinstance(v, dict)]
    for key, section in table.items():
        if isinstance(section, dict):
            lines += [f"[{key}]", *(f"{k} = {json.dumps(v)}" for k, v in section.items())]
    return "\n".join(lines)


@pytest.fixture
def comparison(tmp_path):
    # Runs are named after their base, and the tests share a folder of runs, so the base gets a unique name.
    (tmp_path / "base.toml").write_text(toml({**BASE, "name": tmp_path.name}))
    (tmp_path / "compare.toml").write_text(FILE)
    return tmp_path / "compare.toml"


def test_variants_only_change_the_keys_they_set(comparison):
    runs = compare.read(comparison).runs
    assert {name: [c.seed for c in configs] for name, configs in runs.items()} == {"maps": [1, 2], "no-maps": [1, 2]}
    first, second = runs["maps"][0], runs["no-maps"][0]
    assert (first.loss.feature_maps, second.loss.feature_maps) == (1.0, 0.0)
    second.loss.feature_maps, second.name = first.loss.feature_maps, first.name
    assert first == second


def test_table_has_every_score_and_finished_runs_are_not_repeated(comparison, world, capsys):
    compare.run_comparison(comparison, world)
    table = json.loads((world.run("comparison") / "table.json").read_text())
    assert [row["variant"] for row in table] == ["maps", "no-maps"]
    assert (world.run("comparison") / "table.png").read_bytes().startswith(b"\x89PNG")
    base = comparison.parent.name
    for row in table:
        names = [f"{base}-{row['variant']}-{seed}" for seed in (1, 2)]
        scores = [json.loads((world.run(name) / "scores.json").read_text())["accuracy"] for name in names]
        assert row["scores"] == scores
        assert row["mean"] == pytest.approx(sum(scores) / 2)
    # An existing score is reused, so nothing is trained again.
    (world.run(f"{base}-maps-1") / "scores.json").write_text('{"accuracy": 12.5}')
    capsys.readouterr()
    compare.run_comparison(comparison, world)
    assert "12.50" in capsys.readouterr().out


def test_equal_runs_are_shared_and_conflicting_ones_rejected(comparison, world):
    compare.run_comparison(comparison, world)
    shared = world.run(f"{comparison.parent.name}-maps-1")
    kept = (shared / "model" / "model.safetensors").stat().st_mtime_ns
    second = comparison.with_name("second.toml")
    second.write_text('name = "second"\nbase = "base.toml"\nmetric = "accuracy"\nseeds = [1]\n[variants]\nmaps = {}\n')
    compare.run_comparison(second, world)
    assert (shared / "model" / "model.safetensors").stat().st_mtime_ns == kept
    second.write_text(second.read_text().replace("{}", "{ loss = { soft = 0.5 } }"))
    with pytest.raises(TrainingError, match=r"maps-1.settings\.json: this run had different settings"):
        compare.run_comparison(second, world)


def test_storages_are_scored_separately(comparison, world, monkeypatch):
    comparison.write_text(FILE.replace("seeds", 'storages = ["f32", "q8"]\nseeds', 1))
    seen = []

    def predict(model, encoded):
        weight = model.classifier.weight.detach()
        seen.append(bool(torch.allclose(weight, quantize.round_rows(weight), rtol=0, atol=1e-9)))
        return glue.predict_rows(model, encoded)

    monkeypatch.setattr(evaluate, "predict_rows", predict)
    compare.run_comparison(comparison, world)
    table = json.loads((world.run("comparison") / "table.json").read_text())
    assert [row["variant"] for row in table] == ["maps, f32", "maps, q8", "no-maps, f32", "no-maps, q8"]
    assert seen == [False, False, True, True] * 2


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("base.toml", "missing.toml", "missing.toml"),
        ("metric", "metrics", "metrics"),
        ("seeds = [1, 2]\n", "", "'seeds' is missing"),
        ("seeds", 'storages = ["q7"]\nseeds', "'storages' must be a non-empty list of f32 and q8"),
        ("seeds = [1, 2]", "seeds = []", "'seeds' is missing"),
        ("seeds = [1, 2]", "seeds = 3", "'seeds' must be a list of integers"),
        ("maps = {}", "maps = 1", "variant 'maps' must be a table"),
        ("feature_maps", "feature_map", "feature_map"),
        ("no-maps =", '"a/b" =', "valid folder name"),
    ],
)
def test_errors_are_reported_before_anything_runs(comparison, old, new, says):
    comparison.write_text(FILE.replace(old, new))
    with pytest.raises(TrainingError, match=says):
        compare.read(comparison)


def test_single_seed_has_no_spread():
    assert compare.table_row("x", [90.0], 1.0)["spread"] is None
    assert "90.00 |" in compare.markdown([compare.table_row("x", [90.0], 1.0)], "accuracy")


def test_overrides_apply_to_every_run(comparison):
    runs = compare.read(comparison, ["optim.steps=7", "loss.feature_maps=0.5"]).runs
    assert {(c.optim.steps, c.loss.feature_maps) for configs in runs.values() for c in configs} == {(7, 0.5)}
