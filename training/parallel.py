"""Several processes on one batch, as `torchrun` starts them: each takes its rows, gradients are averaged.

`torchrun --nproc-per-node N -m training STEP --config FILE` splits every batch of the configuration among N processes;
the batch as a whole stays what it is. Process 0 alone writes.
"""

import os

import torch
from torch import distributed

from training.data.batches import Batch


def start() -> None:
    """Join the group that `torchrun` describes, if it does."""
    if world() > 1 and not distributed.is_initialized():
        distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))


def world() -> int:
    """Return the number of processes that work together."""
    return int(os.environ.get("WORLD_SIZE", 1))


def rank() -> int:
    """Number of this process."""
    return int(os.environ.get("RANK", 0))


def first() -> bool:
    """Return whether this process is the one that writes."""
    return rank() == 0


def rows(batch: Batch) -> Batch:
    """Rows of a batch that this process takes; every process must get at least one."""
    if world() == 1:
        return batch
    mine = slice(rank(), None, world())
    return Batch(
        batch.input_ids[mine],
        batch.token_type_ids[mine],
        batch.attention_mask[mine],
        {name: t[mine] for name, t in batch.labels.items()},
    )


def average_gradients(model: torch.nn.Module) -> None:
    """Average the gradients. Rows are dealt evenly: a mean of means is near the mean of the whole."""
    if world() == 1:
        return
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    # All in one: on a busy machine every exchange waits for the other processes' turn.
    flat = torch.cat([g.flatten() for g in gradients])
    distributed.all_reduce(flat)
    flat /= world()
    place = 0
    for gradient in gradients:
        gradient.copy_(flat[place : place + gradient.numel()].view_as(gradient))
        place += gradient.numel()


def wait() -> None:
    """Let all processes arrive."""
    if world() > 1:
        distributed.barrier()


def agree(value: bool) -> bool:
    """Return the first process's value in every process."""
    if world() == 1:
        return value
    said = torch.tensor([value], device="cuda" if torch.cuda.is_available() else "cpu")
    distributed.broadcast(said, 0)
    return bool(said.item())
