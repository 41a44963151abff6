"""The interface between a task and the training loop: batches and loss terms."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from training.data.batches import Batch


@dataclass
class Task:
    """Batches by step, the task's loss terms, and a score on held-out training rows."""

    batch_at: Callable[[int], Batch]
    terms: Callable
    score: Callable[[torch.nn.Module], dict] | None
    per_epoch: int = 0  # steps per epoch; 0 if the task has no epochs
