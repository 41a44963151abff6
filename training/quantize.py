"""Quantization-aware training: the forward pass uses the 8-bit weights that the shipped file will contain.

Rows are scaled as by `mobilebert quantize --dtype q8`: one scale per output row, which maps the largest magnitude to
127. The engine folds NoNorm's gain into the rows first; that changes a row's scale, not its 8-bit values.
"""

import torch
from torch import nn


def round_rows(weight: torch.Tensor) -> torch.Tensor:
    """`weight` `[rows, columns]` rounded to 8 bits with one scale per row; gradients pass through unchanged."""
    scale = weight.detach().abs().amax(1, keepdim=True) / 127
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    rounded = (weight.detach() / scale).round().clamp(-127, 127) * scale
    return weight + (rounded - weight.detach())


def rounded(model: nn.Module) -> dict[str, torch.Tensor]:
    """All matrices that ship in 8 bits, rounded, by their names in `model`."""
    matrices = {}
    for path, module in model.named_modules():
        if isinstance(module, (nn.Embedding, nn.Linear)):
            matrices[f"{path}.weight" if path else "weight"] = round_rows(module.weight)
    return matrices
