"""Choosing bf16 autocast."""

import pytest
import torch

from training import autocast, bundles
from training.steps import finetune
from training.tests.conftest import tiny


@pytest.mark.parametrize(("single", "half", "pays"), [(3.0, 1.0, True), (1.2, 1.0, False), (1.0, 2.0, False)])
def test_bf16_must_be_faster_by_the_margin(single, half, pays):
    assert autocast.faster({torch.float32: single, torch.bfloat16: half}.get) is pays


def test_processor_without_bf16_is_not_timed(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    monkeypatch.setattr(autocast, "faster", lambda seconds: pytest.fail("timed"))
    assert autocast.pays(torch.device("cpu")) is False


def test_resumed_run_keeps_its_precision(world, monkeypatch):
    seen = []
    monkeypatch.setattr(autocast, "pays", lambda device: seen.append(device) or True)
    first = tiny("cast", models={"init": "models:tiny"}, loop={"autocast": True}, optim={"steps": 2})
    finetune.run(first, world)
    assert len(seen) == 1 and kept(world, "cast") is True
    (world.run("cast") / "done.json").unlink()
    longer = tiny("cast", models={"init": "models:tiny"}, loop={"autocast": True}, optim={"steps": 4})
    monkeypatch.setattr(autocast, "pays", lambda device: pytest.fail("probed again"))
    finetune.run(longer, world)
    assert kept(world, "cast") is True


def test_autocast_can_be_disabled(world, monkeypatch):
    monkeypatch.setattr(autocast, "pays", lambda device: pytest.fail("probed"))
    finetune.run(tiny("uncast", models={"init": "models:tiny"}, loop={"autocast": False}), world)
    assert kept(world, "uncast") is False


def kept(world, name):
    return bundles.read(world.run(name) / "checkpoint").about["run"]["autocast"]
