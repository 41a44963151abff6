"""Choosing bf16 autocast."""

import pytest
import torch

from training import autocast, bundles
from training.steps import finetune
from training.tests.conftest import tiny


@pytest.mark.parametrize(
    ("f32_seconds", "bf16_seconds", "expected"), [(3.0, 1.0, True), (1.2, 1.0, False), (1.0, 2.0, False)]
)
def test_bf16_must_be_faster_by_the_margin(f32_seconds, bf16_seconds, expected):
    assert autocast.is_faster({torch.float32: f32_seconds, torch.bfloat16: bf16_seconds}.get) is expected


def test_processor_without_bf16_is_not_timed(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    monkeypatch.setattr(autocast, "is_faster", lambda seconds: pytest.fail("timed"))
    assert autocast.is_worthwhile(torch.device("cpu")) is False


def test_resumed_run_keeps_its_precision(world, monkeypatch):
    probed = []
    monkeypatch.setattr(autocast, "is_worthwhile", lambda device: probed.append(device) or True)
    first = tiny("cast", models={"init": "models:tiny"}, loop={"autocast": True}, optim={"steps": 2})
    finetune.run(first, world)
    assert len(probed) == 1 and saved_precision(world, "cast") is True
    (world.run("cast") / "done.json").unlink()
    longer = tiny("cast", models={"init": "models:tiny"}, loop={"autocast": True}, optim={"steps": 4})
    monkeypatch.setattr(autocast, "is_worthwhile", lambda device: pytest.fail("probed again"))
    finetune.run(longer, world)
    assert saved_precision(world, "cast") is True


def test_autocast_can_be_disabled(world, monkeypatch):
    monkeypatch.setattr(autocast, "is_worthwhile", lambda device: pytest.fail("probed"))
    finetune.run(tiny("uncast", models={"init": "models:tiny"}, loop={"autocast": False}), world)
    assert saved_precision(world, "uncast") is False


def saved_precision(world, name):
    return bundles.read(world.run(name) / "checkpoint").about["run"]["autocast"]
