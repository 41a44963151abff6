"""A folder that stores named blobs in files smaller than 16 MiB and is updated atomically.

The pieces are concatenated and split into parts that are named after the hash of their content. `index.json`, written
last and moved into place, lists the parts with their hashes and the position of each piece; other parts are left over
from an interrupted write and are removed by the next one. So readers always see the last complete write, whenever the
writer was killed. Unchanged parts are not written again.
"""

import hashlib
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from training.atomic import write_error, write_whole
from training.errors import TrainingError

INDEX, FORMAT = "index.json", 1
MAX_PART_BYTES = 15 * 2**20


@dataclass
class Bundle:
    """`about` is JSON; `pieces` are stored in order and should start with those that change least."""

    about: dict
    pieces: dict[str, bytes] = field(default_factory=dict)

    def size(self) -> int:
        """Return the total size of all pieces in bytes."""
        return sum(len(piece) for piece in self.pieces.values())


def write(folder: Path, bundle: Bundle, staging: Path) -> None:
    """Replace the contents of `folder`. Parts are written to `staging`, usually on the same disk, and then moved."""
    content, positions = bytearray(), {}
    for name, piece in bundle.pieces.items():
        positions[name] = [len(content), len(piece)]
        content += piece
    parts = _write_parts(folder, content, staging)
    index = {"format": FORMAT, "about": bundle.about, "pieces": positions, "parts": parts}
    write_whole(folder / INDEX, lambda partial: partial.write_text(json.dumps(index, indent=1) + "\n"))
    listed = {part["file"] for part in parts}
    for path in folder.glob("part-*.bin"):
        if path.name not in listed:
            path.unlink(missing_ok=True)


def _write_parts(folder: Path, content: bytearray, staging: Path) -> list[dict]:
    """Split `content` into parts, write those that `folder` lacks, and return the entries of all for the index."""
    parts, moved = [], []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        for start in range(0, len(content), MAX_PART_BYTES):
            part = memoryview(content)[start : start + MAX_PART_BYTES]
            digest = hashlib.sha256(part).hexdigest()
            name = f"part-{digest[:16]}.bin"
            parts.append({"file": name, "bytes": len(part), "sha256": digest})
            if not _has_hash(folder / name, digest):
                with open(staging / name, "wb") as file:
                    file.write(part)
                    file.flush()
                    os.fsync(file.fileno())
        for path in sorted(staging.iterdir()):
            moved.append(folder / path.name)
            shutil.move(path, folder / path.name)
    except OSError as error:
        for path in moved:
            path.unlink(missing_ok=True)
        raise write_error(folder, error) from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return parts


def _has_hash(path: Path, digest: str) -> bool:
    # If `staging` is on another disk, a move that was killed leaves a truncated file under its final name.
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest


def read(folder: Path) -> Bundle | None:
    """Return a folder's contents after verifying every part; None if there is no index."""
    path = folder / INDEX
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
        if index["format"] != FORMAT:
            raise TrainingError(f"{path}: format {index['format']} is not supported; this version reads {FORMAT}")
        content = bytearray()
        for part in index["parts"]:
            content += _read_part(folder, part)
        pieces = {
            name: bytes(memoryview(content)[start : start + length])
            for name, (start, length) in index["pieces"].items()
        }
        return Bundle(index["about"], pieces)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise TrainingError(f"{path}: not a valid checkpoint ({reason}); move the folder away") from None


def _read_part(folder: Path, part: dict) -> bytes:
    path = folder / part["file"]
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise TrainingError(f"{path}: missing part of the checkpoint; copy it again, or move the folder away") from None
    if hashlib.sha256(content).hexdigest() != part["sha256"]:
        raise TrainingError(f"{path}: does not match its hash; copy it again, or move the folder away")
    return content
