"""Tokenized plain text on disk: one flat array of token ids, and the boundaries of paragraphs and books.

A text file has one paragraph per line and an empty line between books. The array is memory-mapped, so a corpus may be
larger than memory.
"""

import json
import lzma
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training import atomic
from training.data import tokens
from training.errors import TrainingError


@dataclass
class Corpus:
    """`pieces[starts[i] : starts[i + 1]]` is paragraph i, which belongs to book `books[i]`."""

    pieces: np.ndarray
    starts: np.ndarray
    books: np.ndarray

    def paragraph(self, number: int) -> np.ndarray:
        """Return the token ids of a paragraph."""
        return self.pieces[self.starts[number] : self.starts[number + 1]]


def build(tokenizer, files: list[Path], folder: Path) -> dict:
    """Tokenize `files` and write the result to `folder`; returns a summary."""
    pieces, lengths, books = [], [], []
    book = 0
    for path in files:
        for part in chunks(path, 2000):
            encoded = iter(tokens.pieces(tokenizer, [line for line in part if line]))
            for line in part:
                if not line:
                    book += 1
                    continue
                ids = next(encoded)
                pieces.append(np.asarray(ids, dtype=np.uint16))
                lengths.append(len(ids))
                books.append(book)
        book += 1
    if not lengths:
        raise TrainingError(f"{', '.join(map(str, files))}: no paragraphs found")
    arrays = {
        "pieces": np.concatenate(pieces),
        "starts": np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        "books": np.asarray(books, dtype=np.int32),
    }
    for name, array in arrays.items():
        atomic.write_whole(folder / f"{name}.npy", lambda p, a=array: _save(p, a))
    summary = {"paragraphs": len(lengths), "pieces": int(arrays["starts"][-1]), "books": len(set(books))}
    atomic.write_whole(folder / "corpus.json", lambda p: p.write_text(json.dumps(summary) + "\n"))
    return summary


def _save(path: Path, array: np.ndarray) -> None:
    with open(path, "wb") as file:
        np.save(file, array)


def chunks(path: Path, size: int) -> Iterator[list[str]]:
    """Yield the stripped lines of a file, plain or `.xz`, `size` at a time."""
    opener = lzma.open if path.suffix == ".xz" else open
    part = []
    try:
        with opener(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                part.append(line.strip())
                if len(part) == size:
                    yield part
                    part = []
    except (UnicodeDecodeError, lzma.LZMAError, EOFError) as error:
        raise TrainingError(f"{path}: not a valid text file: {error}") from None
    yield part


def load(folder: Path) -> Corpus:
    """Open a corpus written by `build`."""
    if not (folder / "corpus.json").is_file():
        raise TrainingError(f"{folder}: no corpus found; run the step 'corpus' first")
    return Corpus(*(np.load(folder / f"{n}.npy", mmap_mode="r") for n in ("pieces", "starts", "books")))
