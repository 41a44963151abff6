"""Whether to use bf16 autocast: always on CUDA, on a CPU only if a short probe finds it faster.

Processors with `avx512_bf16` or AMX multiply bf16 several times faster than f32. Others convert to f32 and back, which
is slower than f32 alone.
"""

import time
from collections.abc import Callable

import torch

from training import parallel

# Shape of the probe's matrix product: a batch of tokens through one of a student's feed-forward networks.
TOKENS, INPUT, OUTPUT = 2048, 128, 512
ROUNDS = 7
# bf16 costs precision, and conversions between the products: it must be this much faster to be worth it.
MARGIN = 1.3


def is_worthwhile(device: torch.device) -> bool:
    """Return whether to train in bf16 on `device`. All processes of a group get the result of the first."""
    if device.type == "cuda":
        return True
    return parallel.agree(has_bf16() and is_faster(seconds))


def has_bf16() -> bool:
    """Return whether the CPU can multiply bf16 natively, without converting it to f32 first."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def is_faster(seconds: Callable[[torch.dtype], float]) -> bool:
    """Return whether bf16 is faster by the margin; `seconds` measures one product in a given dtype."""
    return seconds(torch.float32) > MARGIN * seconds(torch.bfloat16)


def seconds(dtype: torch.dtype) -> float:
    """Minimum CPU time of one product over several rounds, since other programs can only make it slower."""
    rows, weight = torch.ones(TOKENS, INPUT, dtype=dtype), torch.ones(OUTPUT, INPUT, dtype=dtype)
    durations = []
    for _ in range(ROUNDS):
        start = time.process_time()
        torch.nn.functional.linear(rows, weight)
        durations.append(time.process_time() - start)
    return min(durations)
