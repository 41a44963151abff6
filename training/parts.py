"""A folder that holds named pieces of bytes in files smaller than 16 MiB, all of one time or none of them.

The pieces are laid end to end and cut into parts named by their content's hash. `index.json`, written last and moved
into place, names the parts with their hashes, and where each piece begins; what it doesn't name is left over from a
write that was cut off, and is removed by the next one. So a reader finds the whole of the last write that was
finished, whenever the writer was killed. Parts that haven't changed are not written again.
"""

import hashlib
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from training.checkpoint import failed, write_whole
from training.errors import TrainingError

INDEX, FORMAT = "index.json", 1
LONGEST = 15 * 2**20


@dataclass
class Bundle:
    """`about` is JSON; `pieces` are kept in their order, those that change least first."""

    about: dict
    pieces: dict[str, bytes] = field(default_factory=dict)

    def size(self) -> int:
        """Bytes of all pieces."""
        return sum(len(piece) for piece in self.pieces.values())


def write(folder: Path, bundle: Bundle, staging: Path) -> None:
    """Replace what `folder` holds. Parts are made in `staging`, on the same disk as a rule, and moved when all are."""
    content, places = bytearray(), {}
    for name, piece in bundle.pieces.items():
        places[name] = [len(content), len(piece)]
        content += piece
    parts, made = [], []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        for start in range(0, len(content), LONGEST):
            part = memoryview(content)[start : start + LONGEST]
            digest = hashlib.sha256(part).hexdigest()
            name = f"part-{digest[:16]}.bin"
            parts.append({"file": name, "bytes": len(part), "sha256": digest})
            if not (folder / name).exists():
                with open(staging / name, "wb") as file:
                    file.write(part)
                    file.flush()
                    os.fsync(file.fileno())
        for path in sorted(staging.iterdir()):
            made.append(folder / path.name)
            shutil.move(path, folder / path.name)
    except OSError as error:
        for path in made:
            path.unlink(missing_ok=True)
        raise failed(folder, error) from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    index = {"format": FORMAT, "about": bundle.about, "pieces": places, "parts": parts}
    write_whole(folder / INDEX, lambda partial: partial.write_text(json.dumps(index, indent=1) + "\n"))
    named = {part["file"] for part in parts}
    for path in folder.glob("part-*.bin"):
        if path.name not in named:
            path.unlink(missing_ok=True)


def read(folder: Path) -> Bundle | None:
    """Return a folder's content, every part checked; None where there is no index."""
    path = folder / INDEX
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
        if index["format"] != FORMAT:
            raise TrainingError(f"{path}: format {index['format']}, this version reads {FORMAT}")
        content = bytearray()
        for part in index["parts"]:
            content += _part(folder, part)
        pieces = {
            name: bytes(memoryview(content)[start : start + length])
            for name, (start, length) in index["pieces"].items()
        }
        return Bundle(index["about"], pieces)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise TrainingError(f"{path}: not a readable checkpoint ({reason}); move the folder away") from None


def _part(folder: Path, part: dict) -> bytes:
    path = folder / part["file"]
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise TrainingError(
            f"{path}: missing, and the checkpoint needs it; fetch it, or move the folder away"
        ) from None
    if hashlib.sha256(content).hexdigest() != part["sha256"]:
        raise TrainingError(f"{path}: its content isn't what was written; fetch it again, or move the folder away")
    return content
