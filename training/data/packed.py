"""Training examples tokenized in advance: one file, moved to the training device once.

A machine that only trains then needs neither a tokenizer nor text, and its CPU has almost nothing to do per batch.
Augmentations that a task otherwise draws again in every epoch (mismatched questions, joined phrases, replaced tokens)
are fixed when the file is written.
"""

import lzma
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from training import atomic, tensors
from training.config import Config
from training.data.batches import Batch, Order
from training.errors import TrainingError

# Batch widths are multiples of this, which limits the number of different shapes.
WIDTH = 16


@dataclass
class Examples:
    """All token ids, concatenated; `heads`: lengths of the first segments; `labels`: one value per example."""

    pieces: np.ndarray
    lengths: np.ndarray
    heads: np.ndarray
    labels: dict[str, np.ndarray]


def collect(batch_at, steps: int) -> Examples:
    """The examples of the first `steps` batches, sorted so that equal passages are adjacent and compress well."""
    rows = []
    for step in range(steps):
        batch = batch_at(step)
        for row, mask in enumerate(batch.attention_mask.numpy()):
            length = int(mask.sum())
            ids = batch.input_ids[row, :length].numpy().astype(np.uint16)
            head = int((batch.token_type_ids[row, :length] == 0).sum())
            rows.append((ids, head, {name: values[row].item() for name, values in batch.labels.items()}))
    rows.sort(key=lambda row: row[0][row[1] :].tobytes() + row[0].tobytes())
    return Examples(
        np.concatenate([ids for ids, *_ in rows]),
        np.array([len(ids) for ids, *_ in rows], dtype=np.int32),
        np.array([head for _, head, _ in rows], dtype=np.int32),
        {name: np.array([labels[name] for *_, labels in rows]) for name in rows[0][2]},
    )


def write(path: Path, examples: Examples) -> None:
    """Write examples to a compressed file."""
    arrays = {"pieces": examples.pieces.view(np.int16), "lengths": examples.lengths, "heads": examples.heads}
    arrays |= {f"label.{name}": values for name, values in examples.labels.items()}
    content = tensors.to_bytes({name: torch.from_numpy(values) for name, values in arrays.items()})
    atomic.write_whole(path, lambda partial: partial.write_bytes(lzma.compress(content, preset=6)))


def read(path: Path) -> Examples:
    """Read examples written by `write`."""
    try:
        content = lzma.decompress(path.read_bytes())
    except (lzma.LZMAError, EOFError) as error:
        raise TrainingError(f"{path}: not a file written by the step 'pack': {error}") from None
    arrays = {name: tensor.numpy() for name, tensor in tensors.from_bytes(content, str(path)).items()}
    if missing := {"pieces", "lengths", "heads"} - set(arrays):
        raise TrainingError(f"{path}: not a file written by the step 'pack': '{min(missing)}' is missing")
    labels = {name.removeprefix("label."): values for name, values in arrays.items() if name.startswith("label.")}
    return Examples(arrays["pieces"].view(np.uint16), arrays["lengths"], arrays["heads"], labels)


class PackedBatches:
    """Batches assembled on the device."""

    def __init__(self, config: Config, examples: Examples, chosen: np.ndarray, device: torch.device):
        """`chosen`: indices of the examples to use."""
        self.chosen, self.lengths = chosen, examples.lengths
        self.order = Order(examples.lengths[chosen], config.optim.batch_size, config.seed)
        self.device = device
        self.pieces = torch.from_numpy(examples.pieces.astype(np.int32)).to(device)
        starts = np.concatenate([[0], np.cumsum(examples.lengths, dtype=np.int64)[:-1]])
        self.table = {
            name: torch.from_numpy(np.ascontiguousarray(values)).to(device)
            for name, values in (("start", starts), ("length", examples.lengths), ("head", examples.heads))
        }
        self.labels = {name: torch.from_numpy(values).to(device) for name, values in examples.labels.items()}

    def at(self, step: int) -> Batch:
        """The batch of a step."""
        return self.batch(self.chosen[self.order.step(step)])

    def batch(self, numbers: np.ndarray) -> Batch:
        """The batch of the examples with the given indices."""
        lengths = self.lengths[numbers]
        width = -(-int(lengths.max()) // WIDTH) * WIDTH
        rows = torch.from_numpy(numbers).to(self.device, non_blocking=True)
        start, length, head = (self.table[name][rows, None] for name in ("start", "length", "head"))
        positions = torch.arange(width, device=self.device)
        mask = positions < length
        ids = self.pieces[(start + positions).clamp_max(len(self.pieces) - 1)].long() * mask
        labels = {name: values[rows] for name, values in self.labels.items()}
        return Batch(ids, ((positions >= head) & mask).long(), mask.long(), labels, int(lengths.sum()))
