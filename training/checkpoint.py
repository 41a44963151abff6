"""Files that are whole or absent: everything is written beside its place and then moved there."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import torch

from training.errors import TrainingError


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a neighbouring file, then move it over `path`. A failure leaves `path` as it was."""
    beside = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(beside)
        with open(beside, "rb") as file:
            os.fsync(file.fileno())
        beside.chmod(0o644)
        os.replace(beside, path)
    except (OSError, RuntimeError) as error:
        beside.unlink(missing_ok=True)
        full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
        # torch's own writer reports a full disk as a RuntimeError of its archive.
        full = full or "PytorchStreamWriter" in str(error) or "unexpected pos" in str(error)
        reason = "the disk is full" if full else str(error).splitlines()[0]
        raise TrainingError(f"{path}: could not be written: {reason}; what stood there before is untouched") from None


def replace_folder(source: Path, target: Path) -> None:
    """Copy `source` over `target`, which goes only when the copy is whole."""
    beside, before = (target.with_name(f"{target.name}.{kind}") for kind in ("part", "before"))
    try:
        for left_over in (beside, before):
            shutil.rmtree(left_over, ignore_errors=True)
        shutil.copytree(source, beside)
        if target.exists():
            os.replace(target, before)
        os.replace(beside, target)
        shutil.rmtree(before, ignore_errors=True)
    except OSError as error:
        raise TrainingError(f"{target}: could not be written: {error}") from None


def save(path: Path, state: dict) -> None:
    """Write a checkpoint."""
    write_whole(path, lambda beside: torch.save(state, beside))


def load(path: Path) -> dict | None:
    """Read a checkpoint, None where there is none."""
    if not path.exists():
        return None
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise TrainingError(f"{path}: not a readable checkpoint ({str(error).splitlines()[0]}); move it away") from None
