"""Checkpoints that ship, as a start: the 8-bit tensors that `mobilebert quantize` wrote, back in floating point.

A matrix `X.weight` of 8-bit integers has its scales, one per row, in `X.weight.scale`. The scales can hold a folded
NoNorm gain; the gain stored next to them is then 1, so the product is the same model.
"""

import torch

from training.errors import TrainingError

SCALE = ".scale"


def floats(state: dict[str, torch.Tensor], where: str) -> dict[str, torch.Tensor]:
    """`state` with every tensor in f32: 8-bit matrices times their rows' scales; `where` names the file in errors."""
    found = {}
    for name, tensor in state.items():
        if name.endswith(SCALE):
            if name.removesuffix(SCALE) not in state:
                raise TrainingError(f"{where}: {name} scales a tensor that is missing")
            continue
        if tensor.dtype == torch.int8:
            found[name] = tensor.float() * _scales(state, name, where)
        elif tensor.dtype == torch.uint8:
            raise TrainingError(f"{where}: {name} holds 4-bit weights; training continues from q8, f16 or f32")
        else:
            found[name] = tensor.float() if tensor.is_floating_point() else tensor
    return found


def _scales(state: dict[str, torch.Tensor], name: str, where: str) -> torch.Tensor:
    scales = state.get(name + SCALE)
    if scales is None:
        raise TrainingError(f"{where}: {name} is stored in 8 bits without {name}{SCALE}")
    rows = state[name].shape[0]
    if scales.shape != (rows,):
        raise TrainingError(f"{where}: {name}{SCALE} has shape {list(scales.shape)}, one per row is [{rows}]")
    return scales.float()[:, None]
