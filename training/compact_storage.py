"""Weights in 24 bits and AdamW's moments in 8 bits: 5 bytes per parameter in a checkpoint instead of 12.

A weight keeps 16 bits of its mantissa. A first moment is quantized linearly to 255 levels, with one scale per block of
64. A second moment is quantized logarithmically, 8 levels per octave, down to 2⁻³² of its tensor's maximum. The run
that saves a checkpoint continues with the rounded values, so a resumed run is bit-for-bit identical to it. How often a
run is saved affects its result, but by less than the rounding to 16 bits on export.
"""

import torch
from torch.nn import functional

BLOCK, PER_OCTAVE, LARGEST = 64, 8, 255


def compress_weight(tensor: torch.Tensor) -> dict[str, torch.Tensor]:
    """The upper three bytes of every f32 value, rounded."""
    bits = tensor.detach().contiguous().view(torch.int32) + 0x80
    return {"": bits.view(torch.uint8).reshape(-1, 4)[:, 1:].contiguous()}


def restore_weight(stored: dict[str, torch.Tensor], shape: torch.Size) -> torch.Tensor:
    """Restore f32 values; their lowest byte is 0."""
    return functional.pad(stored[""], (1, 0)).contiguous().view(torch.float32).reshape(shape)


def compress_first_moment(tensor: torch.Tensor) -> dict[str, torch.Tensor]:
    """Quantize a first moment to 8 bits with one scale per block."""
    flat = tensor.detach().flatten()
    blocks = functional.pad(flat, (0, -len(flat) % BLOCK)).reshape(-1, BLOCK)
    scale = (blocks.abs().amax(1) / 127).bfloat16()
    steps = blocks / scale.float().clamp_min(torch.finfo(torch.float32).tiny)[:, None]
    return {"": steps.round().clamp(-127, 127).to(torch.int8).flatten()[: len(flat)].clone(), ".scale": scale}


def restore_first_moment(stored: dict[str, torch.Tensor], shape: torch.Size) -> torch.Tensor:
    """Dequantize a first moment."""
    steps, scale = stored[""], stored[".scale"].float()
    blocks = functional.pad(steps, (0, -len(steps) % BLOCK)).reshape(-1, BLOCK).float() * scale[:, None]
    return blocks.flatten()[: len(steps)].reshape(shape).contiguous()


def compress_second_moment(tensor: torch.Tensor) -> dict[str, torch.Tensor]:
    """Quantize a second moment to 8 bits on a logarithmic scale; code 0 means 0."""
    flat = tensor.detach().flatten()
    largest = flat.max()
    below = ((largest / flat).log2() * PER_OCTAVE).round().clamp(0, LARGEST - 1)
    codes = torch.where(flat > 0, LARGEST - below, torch.zeros_like(below))
    return {"": codes.to(torch.uint8), ".largest": largest.reshape(1)}


def restore_second_moment(stored: dict[str, torch.Tensor], shape: torch.Size) -> torch.Tensor:
    """Dequantize a second moment through a lookup table, so that the result has the same bits on every device."""
    table = torch.exp2((torch.arange(LARGEST + 1, dtype=torch.float64) - LARGEST) / PER_OCTAVE).float()
    table[0] = 0.0
    codes = stored[""]
    return (table.to(codes.device)[codes.int()] * stored[".largest"]).reshape(shape)
