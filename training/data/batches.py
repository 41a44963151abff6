"""The examples of each step: a pure function of seed and step, so that runs can be resumed exactly.

Examples of similar length are batched together: each epoch is shuffled and split into pools of 32 batches, every pool
is sorted by length, and the batches are used in random order.
"""

from dataclasses import dataclass

import numpy as np
import torch

from training.data.tokens import CLS, MASK, PAD, SEP, Encoded
from training.errors import TrainingError

POOL = 32


@dataclass
class Batch:
    """The tensors of one step, of shape `[batch, sequence]`; `labels` depend on the task."""

    input_ids: torch.Tensor
    token_type_ids: torch.Tensor
    attention_mask: torch.Tensor
    labels: dict[str, torch.Tensor]
    count: int | None = None  # number of non-padding tokens, if known without a device synchronization

    def to(self, device: torch.device) -> "Batch":
        """Return a copy on another device."""
        return Batch(
            self.input_ids.to(device),
            self.token_type_ids.to(device),
            self.attention_mask.to(device),
            {name: t.to(device) for name, t in self.labels.items()},
            self.count,
        )

    def tokens(self) -> int:
        """Return the number of non-padding tokens."""
        return int(self.attention_mask.sum()) if self.count is None else self.count

    def inputs(self) -> dict[str, torch.Tensor]:
        """Return the arguments for a model's forward pass."""
        return {
            "input_ids": self.input_ids,
            "token_type_ids": self.token_type_ids,
            "attention_mask": self.attention_mask,
        }

    def rows(self, chosen: torch.Tensor | slice) -> "Batch":
        """Select rows by indices, by a boolean mask or by a slice."""
        labels = {name: t[chosen] for name, t in self.labels.items()}
        return Batch(self.input_ids[chosen], self.token_type_ids[chosen], self.attention_mask[chosen], labels)


class Order:
    """Assigns examples to steps."""

    def __init__(self, lengths: list[int], batch_size: int, seed: int):
        if not len(lengths):
            raise TrainingError(
                "no training examples are left; increase 'limit' in 'data' or decrease 'held_out' in 'loop'"
            )
        self.lengths, self.size, self.seed = np.asarray(lengths), batch_size, seed
        self.per_epoch = max(1, len(lengths) // batch_size)
        self._epoch, self._batches = -1, []

    def step(self, step: int) -> np.ndarray:
        """Indices of the examples of a step (counted from 0)."""
        epoch, number = divmod(step, self.per_epoch)
        if epoch != self._epoch:
            self._epoch, self._batches = epoch, self._deal(epoch)
        return self._batches[number]

    def _deal(self, epoch: int) -> list[np.ndarray]:
        random = np.random.default_rng([self.seed, 1, epoch])
        order = random.permutation(len(self.lengths))
        batches = []
        for start in range(0, len(order), POOL * self.size):
            pool = order[start : start + POOL * self.size]
            pool = pool[np.argsort(self.lengths[pool], kind="stable")]
            batches += [pool[i : i + self.size] for i in range(0, len(pool), self.size)]
        full = [b for b in batches if len(b) == self.size] or batches
        return [full[i] for i in random.permutation(len(full))]


def pad(examples: list[Encoded], labels: dict[str, torch.Tensor]) -> Batch:
    """Pad examples to the longest one."""
    width = max(len(e) for e in examples)
    ids = np.full((len(examples), width), PAD, dtype=np.int64)
    types = np.zeros((len(examples), width), dtype=np.int64)
    mask = np.zeros((len(examples), width), dtype=np.int64)
    for row, example in enumerate(examples):
        length = len(example)
        ids[row, :length], types[row, :length], mask[row, :length] = example.ids, example.types, 1
    return Batch(torch.from_numpy(ids), torch.from_numpy(types), torch.from_numpy(mask), labels)


def concatenate(parts: list[Batch]) -> Batch:
    """Concatenate batches, without their labels."""
    width = max(part.input_ids.shape[1] for part in parts)

    def field(name: str) -> torch.Tensor:
        tensors = [getattr(part, name) for part in parts]
        return torch.cat([torch.nn.functional.pad(t, (0, width - t.shape[1])) for t in tensors])

    return Batch(field("input_ids"), field("token_type_ids"), field("attention_mask"), {})


def piece_counts(parts: list[Batch], vocabulary: int) -> torch.Tensor:
    """Return the number of times each token of the vocabulary occurs in the batches."""
    ids = torch.cat([part.input_ids[part.attention_mask > 0] for part in parts])
    return torch.bincount(ids, minlength=vocabulary)


def replace_tokens(batch: Batch, probability: float, frequency: np.ndarray, random: np.random.Generator) -> None:
    """Replace a fraction of the non-special tokens by tokens drawn by `frequency`; requires the teacher's labels."""
    ids = batch.input_ids.numpy()
    replaceable = ~np.isin(ids, (PAD, CLS, SEP, MASK))
    replaced = replaceable & (random.random(ids.shape) < probability)
    ids[replaced] = random.choice(len(frequency), size=int(replaced.sum()), p=frequency)


def piece_frequency(examples: list[Encoded], vocabulary: int) -> np.ndarray:
    """Return the frequency distribution of tokens, excluding special tokens."""
    counts = np.zeros(vocabulary)
    for e in examples:
        np.add.at(counts, e.ids, 1)
    counts[[PAD, CLS, SEP, MASK]] = 0
    return counts / counts.sum()
