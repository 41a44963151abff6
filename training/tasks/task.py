"""The interface between a task and the loop: its batches and its own terms of the loss."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from training.data.batches import Batch


@dataclass
class Task:
    """Batches by step, the task's terms, and a score on rows held back from training."""

    batch_at: Callable[[int], Batch]
    terms: Callable
    score: Callable[[torch.nn.Module], dict] | None
    per_epoch: int = 0  # steps in which every example comes up once; 0: there is no such thing
