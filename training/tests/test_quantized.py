"""Starting a run from a quantized checkpoint."""

import pytest
import torch
from safetensors.torch import save_file

from training.errors import TrainingError
from training.models import build, quantized


def test_8_bit_rows_are_multiplied_by_their_scales():
    state = {
        "x.weight": torch.tensor([[127, -127], [1, 2]], dtype=torch.int8),
        "x.weight.scale": torch.tensor([0.5, 3.0]),
        "x.bias": torch.tensor([1.5], dtype=torch.float16),
    }
    found = quantized.floats(state, "here")
    assert set(found) == {"x.weight", "x.bias"}
    assert torch.equal(found["x.weight"], torch.tensor([[63.5, -63.5], [3.0, 6.0]]))
    assert found["x.bias"].dtype == torch.float32


def test_4_bit_bytes_hold_two_columns_and_32_columns_share_a_scale():
    stored = torch.zeros(2, 17, dtype=torch.uint8)
    stored[0, 0] = 0x7F  # the low half is -1, the high half is 7
    stored[0, 16] = 0x8  # column 32, in the row's second group, is -8
    stored[1, 15] = 0x10  # column 31 is 1
    state = {"x.weight": stored, "x.weight.scale": torch.tensor([[0.5, 2.0], [3.0, 4.0]], dtype=torch.float16)}
    wanted = torch.zeros(2, 34)
    wanted[0, 0], wanted[0, 1], wanted[0, 32], wanted[1, 31] = -0.5, 3.5, -16.0, 3.0
    assert torch.equal(quantized.floats(state, "here")["x.weight"], wanted)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"x.weight": torch.zeros(2, 2, dtype=torch.int8)}, "x.weight.scale is missing"),
        (
            {"x.weight": torch.zeros(2, 3, dtype=torch.int8), "x.weight.scale": torch.ones(3)},
            r"has shape \[3\], but x.weight requires \[2\]",
        ),
        ({"x.weight.scale": torch.ones(3)}, "belongs to a tensor that is missing"),
        ({"x.weight": torch.zeros(2, 2, dtype=torch.uint8)}, "x.weight.scale is missing"),
        (
            {"x.weight": torch.zeros(2, 20, dtype=torch.uint8), "x.weight.scale": torch.ones(2, 1)},
            r"has shape \[2, 1\], but x.weight requires \[2, 2\]",
        ),
    ],
)
def test_inconsistent_tensors_are_rejected(state, message):
    with pytest.raises(TrainingError, match=f"here: .*{message}"):
        quantized.floats(state, "here")


def test_run_can_start_from_an_8_bit_directory(world, tmp_path):
    whole = build.load(world.models / "tiny-squad", "squad", whole=True).state_dict()
    state = {}
    for name, tensor in whole.items():
        if name.endswith("dense.weight"):
            scale = tensor.abs().amax(1) / 127
            state[name] = (tensor / scale[:, None]).round().to(torch.int8)
            state[name + ".scale"] = scale
        else:
            state[name] = tensor.clone()
    for file in (world.models / "tiny-squad").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    save_file(state, tmp_path / "model.safetensors")
    loaded = build.load(tmp_path, "squad", whole=True).state_dict()
    for name, tensor in whole.items():
        step = tensor.abs().amax() / 127 if name.endswith("dense.weight") else 0.0
        assert (loaded[name] - tensor).abs().max() <= step, name
