"""Files that are whole or absent: everything is written next to its place and then moved there."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from training.errors import TrainingError


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a neighboring file, then move it over `path`. A failure leaves `path` as it was."""
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
        raise failed(path, error) from None


def failed(path: Path, error: OSError) -> TrainingError:
    """The line about a file or folder that could not be written."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    reason = "the disk is full" if full else str(error).splitlines()[0]
    return TrainingError(f"{path}: could not be written: {reason}; what was there before is untouched")


def replace_folder(source: Path, target: Path) -> None:
    """Copy `source` over `target`, which goes only when the copy is whole."""
    partial, before = (target.with_name(f"{target.name}.{kind}") for kind in ("part", "before"))
    try:
        for left_over in (partial, before):
            shutil.rmtree(left_over, ignore_errors=True)
        shutil.copytree(source, partial)
        if target.exists():
            os.replace(target, before)
        os.replace(partial, target)
        shutil.rmtree(before, ignore_errors=True)
    except OSError as error:
        raise TrainingError(f"{target}: could not be written: {error}") from None
