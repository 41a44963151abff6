"""Dequantization of checkpoints written by `mobilebert quantize`, so that runs can start from shipped models.

A matrix `X.weight` has its scales in `X.weight.scale`. In 8 bits, it contains integers, with one scale per row. In 4
bits, each byte contains two values in two's complement, the low four bits first, with one scale per 32 columns of a
row. A NoNorm gain may be folded into the scales; the stored gain is then 1, so the model is the same.
"""

import torch

from training.errors import TrainingError

SCALE = ".scale"
GROUP = 32


def floats(state: dict[str, torch.Tensor], where: str) -> dict[str, torch.Tensor]:
    """Convert every tensor to f32, multiplying matrices by their scales; `where` names the file in error messages."""
    converted = {}
    for name, tensor in state.items():
        if name.endswith(SCALE):
            if name.removesuffix(SCALE) not in state:
                raise TrainingError(f"{where}: {name} belongs to a tensor that is missing")
            continue
        if tensor.dtype == torch.int8:
            converted[name] = tensor.float() * _scales(state, name, where, (tensor.shape[0],))[:, None]
        elif tensor.dtype == torch.uint8:
            converted[name] = _four_bits(state, name, where)
        else:
            converted[name] = tensor.float() if tensor.is_floating_point() else tensor
    return converted


def _four_bits(state: dict[str, torch.Tensor], name: str, where: str) -> torch.Tensor:
    stored = state[name]
    columns = 2 * stored.shape[1]
    scales = _scales(state, name, where, (stored.shape[0], -(-columns // GROUP)))
    values = torch.stack((stored & 0xF, stored >> 4), dim=-1).flatten(1).to(torch.int8)
    signed = torch.where(values > 7, values - 16, values)
    return signed.float() * scales.repeat_interleave(GROUP, dim=1)[:, :columns]


def _scales(state: dict[str, torch.Tensor], name: str, where: str, shape: tuple[int, ...]) -> torch.Tensor:
    scales = state.get(name + SCALE)
    if scales is None:
        raise TrainingError(f"{where}: {name} is quantized, but {name}{SCALE} is missing")
    if scales.shape != shape:
        raise TrainingError(f"{where}: {name}{SCALE} has shape {list(scales.shape)}, but {name} requires {list(shape)}")
    return scales.float()
