"""Compact storage is small and accurate, and rounding is idempotent."""

import pytest
import torch

from training import compact_storage


def values(kind: str) -> torch.Tensor:
    random = torch.Generator().manual_seed(6)
    scale = torch.exp(torch.randn(300, 70, generator=random) * 4)
    drawn = torch.randn(300, 70, generator=random) * scale
    return {"weight": drawn, "first_moment": drawn * 1e-6, "second_moment": drawn.square() * 1e-9}[kind]


@pytest.mark.parametrize("kind", ["weight", "first_moment", "second_moment"])
def test_rounding_is_idempotent(kind):
    write, back = getattr(compact_storage, f"compress_{kind}"), getattr(compact_storage, f"restore_{kind}")
    once = back(write(values(kind)), torch.Size([300, 70]))
    again = back(write(once), torch.Size([300, 70]))
    close = (again - once).abs() <= {"weight": 0.0, "first_moment": 0.005, "second_moment": 1e-6}[
        kind
    ] * once.abs().max()
    assert close.all()
    assert torch.equal(back(write(torch.zeros(3)), torch.Size([3])), torch.zeros(3))


def test_weights_keep_sixteen_bits_of_their_mantissa():
    given = values("weight")
    stored = compact_storage.compress_weight(given)
    assert sum(t.numel() * t.element_size() for t in stored.values()) == 3 * given.numel()
    assert ((compact_storage.restore_weight(stored, given.shape) - given).abs() <= given.abs() * 2.0**-16).all()


def test_first_moments_are_accurate_to_a_step_of_their_block():
    given = values("first_moment")
    stored = compact_storage.compress_first_moment(given)
    assert sum(t.numel() * t.element_size() for t in stored.values()) < 1.04 * given.numel()
    blocks = torch.nn.functional.pad(given.flatten(), (0, -given.numel() % 64)).reshape(-1, 64)
    off = torch.nn.functional.pad(
        compact_storage.restore_first_moment(stored, given.shape).flatten(), (0, -given.numel() % 64)
    )
    assert ((off.reshape(-1, 64) - blocks).abs() <= blocks.abs().amax(1, keepdim=True) / 127).all()


def test_second_moments_have_a_bounded_relative_error():
    given = values("second_moment")
    given[0, :9] = 0.0
    stored = compact_storage.compress_second_moment(given)
    assert sum(t.numel() * t.element_size() for t in stored.values()) < 1.01 * given.numel()
    back = compact_storage.restore_second_moment(stored, given.shape)
    assert (back[0, :9] == 0).all()
    within = given > given.max() * 2.0**-31
    assert ((back / given)[within].log2().abs() <= 1 / 16 + 1e-4).all()
    below = (given > 0) & ~within
    assert (back[below] >= 0.95 * given[below]).all()
