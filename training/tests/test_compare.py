"""Comparisons: every variant with every seed, from one base, into one table."""

import json

import pytest

from training.errors import TrainingError
from training.steps import compare
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
    """Tables of scalars and one level of sections."""
    lines = [f"{k} = {json.dumps(v)}" for k, v in table.items() if not isinstance(v, dict)]
    for key, section in table.items():
        if isinstance(section, dict):
            lines += [f"[{key}]", *(f"{k} = {json.dumps(v)}" for k, v in section.items())]
    return "\n".join(lines)


@pytest.fixture
def comparison(tmp_path):
    (tmp_path / "base.toml").write_text(toml(BASE))
    (tmp_path / "compare.toml").write_text(FILE)
    return tmp_path / "compare.toml"


def test_variants_differ_from_the_base_in_what_they_name_alone(comparison):
    runs = compare.read(comparison).runs
    assert {name: [c.seed for c in configs] for name, configs in runs.items()} == {"maps": [1, 2], "no-maps": [1, 2]}
    first, second = runs["maps"][0], runs["no-maps"][0]
    assert (first.loss.feature_maps, second.loss.feature_maps) == (1.0, 0.0)
    second.loss.feature_maps, second.name = first.loss.feature_maps, first.name
    assert first == second


def test_the_table_holds_every_score_and_done_runs_are_not_run_again(comparison, world, capsys):
    compare.run_comparison(comparison, world)
    table = json.loads((world.run("comparison") / "table.json").read_text())
    assert [row["variant"] for row in table] == ["maps", "no-maps"]
    for row in table:
        names = [f"comparison-{row['variant']}-{seed}" for seed in (1, 2)]
        scores = [json.loads((world.run(name) / "scores.json").read_text())["accuracy"] for name in names]
        assert row["scores"] == scores
        assert row["mean"] == pytest.approx(sum(scores) / 2)
    # Another score on disk is taken as it stands: nothing was trained again.
    (world.run("comparison-maps-1") / "scores.json").write_text('{"accuracy": 12.5}')
    capsys.readouterr()
    compare.run_comparison(comparison, world)
    assert "12.50" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("base.toml", "missing.toml", "missing.toml"),
        ("metric", "metrics", "metrics"),
        ("seeds = [1, 2]\n", "", "'seeds' is missing"),
        ("feature_maps", "feature_map", "feature_map"),
        ('"comparison"', '"a/b"', "plain word"),
    ],
)
def test_faults_are_named_before_anything_runs(comparison, old, new, says):
    comparison.write_text(FILE.replace(old, new))
    with pytest.raises(TrainingError, match=says):
        compare.read(comparison)


def test_a_single_seed_has_no_spread():
    assert compare.row("x", [90.0], 1.0)["spread"] is None
    assert "90.00 |" in compare.markdown([compare.row("x", [90.0], 1.0)], "accuracy")
