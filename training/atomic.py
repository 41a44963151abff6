"""Atomic writes: every file is written next to its destination and then moved into place."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from training.errors import TrainingError


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` create a temporary file, then move it to `path`. On failure, `path` is unchanged."""
    partial = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(partial)
        with open(partial, "rb") as file:
            os.fsync(file.fileno())
        partial.chmod(0o644)
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise write_error(path, error) from None


def write_error(path: Path, error: OSError) -> TrainingError:
    """Describe a file or folder that could not be written."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    reason = "the disk is full" if full else str(error).splitlines()[0]
    return TrainingError(f"{path}: could not be written: {reason}; the previous contents are untouched")


def replace_folder(source: Path, target: Path) -> None:
    """Replace `target` with a copy of `source`; `target` is removed only once the copy is complete."""
    partial, previous = (target.with_name(f"{target.name}.{kind}") for kind in ("part", "before"))
    try:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(source, partial)
        if target.exists():
            shutil.rmtree(previous, ignore_errors=True)
            os.replace(target, previous)
        os.replace(partial, target)
        # If an earlier call was killed between the two moves, this was the only copy until now.
        shutil.rmtree(previous, ignore_errors=True)
    except OSError as error:
        raise TrainingError(f"{target}: could not be written: {error}") from None
