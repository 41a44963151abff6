"""Several processes on one batch train the same model as one process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from training import compact_storage, distil, loop, parallel
from training.data import tokens
from training.data.batches import pad
from training.errors import TrainingError
from training.models import build as models
from training.steps import finetune
from training.steps.common import open_models
from training.tasks import open_task
from training.tests.conftest import tiny

ROOT = Path(__file__).resolve().parents[2]
TOML = """
name = "two"
[models]
init = "models:tiny-still"
[optim]
steps = 3
batch_size = 8
lr = 1e-3
[loop]
held_out = 0
autocast = false
"""


def test_torchrun_matches_a_single_process(world, tmp_path):
    # Without dropout, whose random numbers would differ between parts of a batch.
    still = models.load(world.models / "tiny", "sst2")
    still.config.hidden_dropout_prob = still.config.attention_probs_dropout_prob = 0.0
    from training.models.save import save_model

    save_model(still, world.models / "tiny", world.models / "tiny-still")
    config = tmp_path / "two.toml"
    config.write_text(TOML)
    folders = ["--data", world.data, "--models", world.models, "--out", world.out, "--threads", "1"]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += ["-m", "training", "finetune", "--config", config, *folders]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run([str(c) for c in command], cwd=ROOT, env=environment, check=True, timeout=1200)
    one = tiny("one", models={"init": "models:tiny-still"}, optim={"steps": 3})
    finetune.run(one, world)
    first, second = (models.load(world.run(n) / "model", "sst2").state_dict() for n in ("one", "two"))
    start = still.state_dict()
    moved = torch.cat([(first[n] - start[n]).flatten() for n in first])
    apart = torch.cat([(first[n] - second[n]).flatten() for n in first])
    assert moved.abs().max() > 1e-4
    assert apart.norm() < 0.05 * moved.norm()


def test_batch_with_fewer_rows_than_processes_is_rejected(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "3")
    batch = pad([tokens.Encoded([101, 102], [0, 0])] * 2, {})
    with pytest.raises(TrainingError, match="a batch of 2 can't be split among 3 processes"):
        parallel.rows(batch)


def test_process_that_does_not_save_rounds_its_weights_too(world, monkeypatch):
    # Only the first process writes checkpoints, but all of them must continue with the stored values.
    monkeypatch.setattr(parallel, "first", lambda: False)
    config = tiny(
        "second-process",
        models={"init": "models:tiny"},
        loop={"storage": "compact", "checkpoint_minutes": 0.0},
    )
    model, _, folder = open_models(config, world)
    run = loop.Loop(config, world, model, "plain")
    task = open_task(config, world, folder)
    run.run(task.batch_at, distil.Distillation(config, model, None, task.terms))
    for name, tensor in model.state_dict().items():
        stored = compact_storage.compress_weight(tensor)
        assert torch.equal(compact_storage.restore_weight(stored, tensor.shape), tensor), name
    assert not (world.run("second-process") / "checkpoint").exists()
