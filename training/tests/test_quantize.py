"""Quantization-aware training with 8-bit weights."""

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from training import engine, quantize
from training.errors import TrainingError
from training.models import build as models
from training.steps import finetune
from training.tests.conftest import tiny

try:
    engine.find()
    MISSING = ""
except TrainingError as missing:
    MISSING = str(missing)


def test_rows_are_rounded_with_their_own_scale():
    weight = torch.randn(5, 40, generator=torch.Generator().manual_seed(2)) * torch.tensor(
        [[1e-4], [1], [30], [1e6], [0]]
    )
    rounded = quantize.round_rows(weight)
    for row, grid in zip(weight, rounded, strict=True):
        scale = row.abs().max() / 127
        if scale == 0:
            assert torch.equal(grid, row)
            continue
        steps = grid / scale
        assert torch.allclose(steps, steps.round(), atol=1e-3)
        assert steps.abs().max() <= 127.001
        assert (grid - row).abs().max() <= scale * 0.501


def test_gradients_pass_through_rounding():
    weight = torch.randn(3, 4, requires_grad=True)
    factor = torch.randn(3, 4)
    (quantize.round_rows(weight) * factor).sum().backward()
    assert torch.equal(weight.grad, factor)


def test_only_matrices_are_rounded(world):
    model = models.load(world.models / "tiny", "sst2")
    assert set(quantize.rounded(model)) == {n for n, p in model.named_parameters() if p.ndim == 2}


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
def test_rounded_matrices_are_those_shipped_in_8_bits(world, tmp_path):
    engine.find().quantize(world.models / "tiny", "q8", tmp_path / "q8")
    with safe_open(tmp_path / "q8" / "model.safetensors", "pt") as file:
        shipped = {name for name in file.keys() if file.get_slice(name).get_dtype() == "I8"}
    model = models.load(world.models / "tiny", "sst2")
    assert set(quantize.rounded(model)) == shipped


def test_quantized_training_changes_weights_but_not_their_names(world):
    weights = []
    for name, quantized in (("plain", False), ("rounded", True)):
        config = tiny(f"eight-{name}", models={"init": "models:tiny"}, optim={"quantized": quantized})
        finetune.run(config, world)
        weights.append(load_file(world.run(config.name) / "model" / "model.safetensors"))
    assert weights[0].keys() == weights[1].keys()
    assert any(not torch.equal(weights[0][n], weights[1][n]) for n in weights[0])
