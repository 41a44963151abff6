"""Data parallelism with `torchrun`: each process takes some rows of a batch, and gradients are averaged.

`torchrun --nproc-per-node N -m training STEP --config FILE` splits every batch of the configuration among N processes;
the total batch size stays the same. Only process 0 writes files.
"""

import os

import torch
from torch import distributed

from training.data.batches import Batch
from training.errors import TrainingError


def start() -> None:
    """Join the process group set up by `torchrun`, if any."""
    if world() > 1 and not distributed.is_initialized():
        distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))


def world() -> int:
    """Return the number of processes."""
    return int(os.environ.get("WORLD_SIZE", 1))


def rank() -> int:
    """Return the rank of this process."""
    return int(os.environ.get("RANK", 0))


def first() -> bool:
    """Return whether this is the process that writes files."""
    return rank() == 0


def rows(batch: Batch) -> Batch:
    """The rows of a batch that this process handles; a batch with fewer rows than processes is an error."""
    count = len(batch.input_ids)
    if count < world():
        raise TrainingError(
            f"a batch of {count} can't be split among {world()} processes; increase 'batch_size' in 'optim', or start "
            "fewer processes"
        )
    return batch if world() == 1 else batch.rows(slice(rank(), None, world()))


def average_gradients(model: torch.nn.Module) -> None:
    """Average the gradients. Rows are split evenly, so the mean of means is close to the mean of the whole batch."""
    if world() == 1:
        return
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    # In a single all-reduce: on a busy machine, each one waits for all other processes to be scheduled.
    flat = torch.cat([g.flatten() for g in gradients])
    distributed.all_reduce(flat)
    flat /= world()
    offset = 0
    for gradient in gradients:
        gradient.copy_(flat[offset : offset + gradient.numel()].view_as(gradient))
        offset += gradient.numel()


def wait() -> None:
    """Wait for all processes."""
    if world() > 1:
        distributed.barrier()


def agree(value: bool) -> bool:
    """Return the first process's value in every process."""
    if world() == 1:
        return value
    shared = torch.tensor([value], device="cuda" if torch.cuda.is_available() else "cpu")
    distributed.broadcast(shared, 0)
    return bool(shared.item())
