"""An interrupted and resumed run is bit-for-bit identical to an uninterrupted one."""

import dataclasses
import json

import pytest
import torch

from training import loop, state
from training.errors import TrainingError
from training.log import Log
from training.models import build as models
from training.steps import finetune, transfer
from training.steps.common import open_models
from training.tests.conftest import tiny


class Cut(Exception):
    """Simulates a power failure."""


@pytest.mark.parametrize(
    ("task", "teacher", "strategy"),
    [
        ("sst2", "models:tiny", "auxiliary"),
        ("sst2", "models:tiny", "progressive"),
        ("squad", "models:tiny-squad", "joint"),
        ("squad", "models:tiny-squad", "parallel"),
    ],
)
def test_resumed_run_equals_uninterrupted_run(world, monkeypatch, task, teacher, strategy):
    sections = {
        "task": task,
        "models": {"teacher": teacher},
        "data": {"max_length": 64, "join": 0.5 if task == "sst2" else 0.0, "replace": 0.2, "mismatch": 0.3},
        "loss": {"feature_maps": 1.0, "attention": 1.0, "soft": 1.0, "hard": 0.5},
        "transfer": {"strategy": strategy, "share": 0.6},
        "loop": {"checkpoint_minutes": 0.0, "log_every": 1},
    }
    whole, cut = (tiny(f"{kind}-{task}-{strategy}", **sections) for kind in ("whole", "cut"))
    transfer.run(whole, world)
    train_step = loop.Loop._train_step

    def fail(self, *arguments):
        if self.step == 4:
            raise Cut
        train_step(self, *arguments)

    monkeypatch.setattr(loop.Loop, "_train_step", fail)
    with pytest.raises(Cut):
        transfer.run(cut, world)
    monkeypatch.setattr(loop.Loop, "_train_step", train_step)
    assert not (world.run(cut.name) / "done.json").exists()
    transfer.run(cut, world)
    one, other = (models.load(world.run(c.name) / "model", task).state_dict() for c in (whole, cut))
    assert all(torch.equal(one[n], other[n]) for n in one)
    logs = [strip(world.run(c.name) / "log.jsonl") for c in (whole, cut)]
    assert logs[0] == logs[1]
    assert [row["step"] for row in logs[0]] == [1, 2, 3, 4, 5, 6]


def test_truncated_log_line_is_ignored(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n{"step": 3, "lo')
    Log(path, 3).write(step=4)
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [1, 2, 4]


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def strip(path):
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        row.pop("seconds")
    return rows


def test_finished_run_is_not_repeated(world):
    config = tiny("finished", models={"init": "models:tiny"})
    finetune.run(config, world)
    stamp = (world.run("finished") / "model" / "model.safetensors").stat().st_mtime_ns
    finetune.run(config, world)
    assert (world.run("finished") / "model" / "model.safetensors").stat().st_mtime_ns == stamp


def test_checkpoint_with_other_shapes_is_rejected(world):
    narrow = tiny("shape", models={"teacher": "models:tiny"}, transfer={"strategy": "auxiliary"})
    transfer.run(narrow, world)
    (world.run("shape") / "done.json").unlink()
    before = files(world.run("shape") / "checkpoint")
    wide = tiny(
        "shape",
        models={"teacher": "models:tiny"},
        transfer={"strategy": "auxiliary"},
        student={"intermediate_size": 40},
    )
    with pytest.raises(TrainingError, match=r"of shape \[24, 16\].*\[40, 16\]"):
        transfer.run(wide, world)
    assert files(world.run("shape") / "checkpoint") == before


def test_fewer_steps_than_the_checkpoint_has_are_rejected(world):
    config = tiny("fewer", models={"init": "models:tiny"}, optim={"steps": 3})
    finetune.run(config, world)
    (world.run("fewer") / "done.json").unlink()
    config.optim.steps = 2
    with pytest.raises(TrainingError, match="already at step 3 of 2 configured; increase 'steps' in 'optim'"):
        finetune.run(config, world)


def test_keys_that_an_earlier_version_lacked_do_not_prevent_resuming(world):
    config = tiny("lacking", models={"init": "models:tiny"})
    model, _, _ = open_models(config, world)
    run = {"config": dataclasses.asdict(config), "strategy": "plain"}
    stored = state.State(config, model, None)
    run["shapes"] = stored.shapes()
    del run["config"]["data"]["opinions"]["written"], run["config"]["data"]["span_costs"]
    state.check(run, config, "plain", stored, world.out)
    run["config"]["data"]["opinions"]["fact"] = 0.5
    with pytest.raises(TrainingError, match="data.opinions.fact is 0.5 in the checkpoint but 0.0"):
        state.check(run, config, "plain", stored, world.out)
