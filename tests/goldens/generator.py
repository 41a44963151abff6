"""Generated weights: the Python twin of `src/weights/generator.rs`, identical bit for bit.

A value depends only on the seed, the tensor's name and shape, and the element's index:

    key    = mix(fnv1a64(name) ^ mix(seed))
    bits   = mix(key + (index + 1) · 0x9E3779B97F4A7C15)          modulo 2⁶⁴; mix is SplitMix64's finalizer
    u      = ((bits >> 40) − 2²³) · 2⁻²³                           uniform in [−1, 1), exact in f32
    value  = center + spread · u                                   one f32 product, one f32 sum

`center` and `spread` follow from the name and the shape (see `scale`), so that hidden states keep their magnitude over
24 layers with and without normalization, attention is neither flat nor one-hot, and every token matters.
A norm's weight is centered on 0.9, not 1: without normalization, that compensates for what each residual branch adds.
"""

import math

import numpy as np

GOLDEN = 0x9E3779B97F4A7C15
MASK = (1 << 64) - 1


def mix(z: int) -> int:
    """SplitMix64's finalizer on one integer."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def mix_array(z: np.ndarray) -> np.ndarray:
    """SplitMix64's finalizer on every element, in place."""
    z ^= z >> np.uint64(30)
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return z


def fnv1a64(text: str) -> int:
    """The 64-bit FNV-1a hash of the text's UTF-8 bytes."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & MASK
    return value


# Linear layers whose result is added to a residual: smaller, or the sum would grow without bound over 24 layers.
RESIDUAL_BRANCHES = (".output.dense.weight", ".output.bottleneck.dense.weight", ".out_lin.weight", ".lin2.weight")
ATTENTION_LOGITS = (".query.weight", ".key.weight", ".q_lin.weight", ".k_lin.weight")
# `[vocabulary, width]` or its transpose: not a linear layer with the vocabulary as its input.
DECODERS = ("predictions.dense.weight", "predictions.decoder.weight", "vocab_projector.weight")


def scale(name: str, shape: tuple[int, ...]) -> tuple[float, float]:
    """Center and spread of a tensor's values."""
    if len(shape) == 1:
        if name.endswith("weight"):
            return 0.9, 0.25
        return 0.0, 0.125
    if name.endswith("word_embeddings.weight") or name.endswith(DECODERS):
        return 0.0, math.sqrt(3.0)
    if name.endswith("_embeddings.weight"):
        return 0.0, math.sqrt(0.75)
    deviation = math.sqrt(3.0 / shape[1])
    if name.endswith(RESIDUAL_BRANCHES):
        return 0.0, 0.4 * deviation
    if name.endswith(ATTENTION_LOGITS):
        return 0.0, 1.6 * deviation
    return 0.0, deviation


def tensor(seed: int, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """The f32 values of one tensor."""
    key = mix(fnv1a64(name) ^ mix(seed))
    count = math.prod(shape)
    with np.errstate(over="ignore"):
        counter = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(GOLDEN) + np.uint64(key)
        bits = mix_array(counter) >> np.uint64(40)
    uniform = (bits.astype(np.int32) - np.int32(1 << 23)).astype(np.float32) * np.float32(2.0**-23)
    center, spread = scale(name, shape)
    return (np.float32(center) + np.float32(spread) * uniform).reshape(shape)
