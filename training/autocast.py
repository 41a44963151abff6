"""The choice of bf16 autocast, where it pays: always on CUDA, on a CPU only where a short probe finds it faster.

Processors with `avx512_bf16` or AMX multiply bf16 several times faster than f32. Others convert to f32 and back, which
is slower than f32 alone.
"""

import time
from collections.abc import Callable

import torch

from training import parallel

# Shape of the probe's product: a batch of tokens through one of a student's feed-forward networks.
TOKENS, INPUT, OUTPUT = 2048, 128, 512
ROUNDS = 7
# bf16 costs precision and conversions between the products: it has to win by this much to be worth it.
MARGIN = 1.3


def pays(device: torch.device) -> bool:
    """Return whether to train in bf16 on `device`. Every process of a group gets the answer of the first."""
    if device.type == "cuda":
        return True
    return parallel.agree(has_bf16() and faster(seconds))


def has_bf16() -> bool:
    """Return whether the processor multiplies bf16 without converting it to f32 first."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def faster(seconds: Callable[[torch.dtype], float]) -> bool:
    """Return whether bf16 wins by the margin, by `seconds` (of one product, by its data type)."""
    return seconds(torch.float32) > MARGIN * seconds(torch.bfloat16)


def seconds(dtype: torch.dtype) -> float:
    """Least CPU time of one product out of several: other programs only ever make it longer."""
    rows, weight = torch.ones(TOKENS, INPUT, dtype=dtype), torch.ones(OUTPUT, INPUT, dtype=dtype)
    taken = []
    for _ in range(ROUNDS):
        began = time.process_time()
        torch.nn.functional.linear(rows, weight)
        taken.append(time.process_time() - began)
    return min(taken)
