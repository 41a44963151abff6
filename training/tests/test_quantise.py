"""Training through 8-bit weights."""

import torch
from safetensors.torch import load_file

from training import quantise
from training.models import build as models
from training.steps import finetune
from training.tests.conftest import tiny


def test_rows_are_rounded_to_their_own_grid():
    weight = torch.randn(5, 40, generator=torch.Generator().manual_seed(2)) * torch.tensor(
        [[1e-4], [1], [30], [1e6], [0]]
    )
    rounded = quantise.round_rows(weight)
    for row, grid in zip(weight, rounded, strict=True):
        scale = row.abs().max() / 127
        if scale == 0:
            assert torch.equal(grid, row)
            continue
        steps = grid / scale
        assert torch.allclose(steps, steps.round(), atol=1e-3)
        assert steps.abs().max() <= 127.001
        assert (grid - row).abs().max() <= scale * 0.501


def test_gradients_pass():
    weight = torch.randn(3, 4, requires_grad=True)
    factor = torch.randn(3, 4)
    (quantise.round_rows(weight) * factor).sum().backward()
    assert torch.equal(weight.grad, factor)


def test_matrices_and_word_vectors_are_rounded_and_nothing_else(world):
    model = models.load(world.models / "tiny", "sst2")
    names = set(quantise.rounded(model))
    wanted = {n for n, p in model.named_parameters() if p.ndim == 2 and "position" not in n and "token_type" not in n}
    assert names == wanted


def test_it_learns_otherwise_and_under_the_same_names(world):
    weights = []
    for name, quantised in (("plain", False), ("rounded", True)):
        config = tiny(f"eight-{name}", models={"init": "models:tiny"}, optim={"quantised": quantised})
        finetune.run(config, world)
        weights.append(load_file(world.run(config.name) / "model" / "model.safetensors"))
    assert weights[0].keys() == weights[1].keys()
    assert any(not torch.equal(weights[0][n], weights[1][n]) for n in weights[0])
