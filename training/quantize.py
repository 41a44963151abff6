"""Training through 8-bit weights: the forward pass sees what the shipped file will hold.

Rows are scaled as `mobilebert quantize --dtype q8` does: one scale an output row, the largest magnitude at 127. The
engine folds NoNorm's gain into those rows first; that changes a row's scale, not its 8-bit numbers.
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
    """All matrices that are shipped in 8 bits, rounded, by their names in `model`."""
    found = {}
    for path, module in model.named_modules():
        if isinstance(module, (nn.Embedding, nn.Linear)):
            found[f"{path}.weight" if path else "weight"] = round_rows(module.weight)
    return found
