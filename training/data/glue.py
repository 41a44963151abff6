"""GLUE's tab-separated files: rows of one or two texts and a label."""

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path

from training.errors import TrainingError
from training.folders import Folders


@dataclass(frozen=True)
class Format:
    """The columns of a task's file. `labels` maps label strings to indices; None: a score from 0 to 5."""

    folder: tuple[str, ...]
    train: str
    columns: int
    first: int
    second: int | None
    label: int
    labels: dict[str, int] | None
    header: bool = True


BINARY = {"0": 0, "1": 1}
FORMATS = {
    "sst2": Format(("sst2",), "train.tsv.gz", 2, 0, None, 1, BINARY),
    "cola": Format(("glue", "CoLA"), "train.tsv", 4, 3, None, 1, BINARY, header=False),
    "mrpc": Format(("glue", "MRPC"), "train.tsv", 5, 3, 4, 0, BINARY),
    "rte": Format(("glue", "RTE"), "train.tsv", 4, 1, 2, 3, {"entailment": 0, "not_entailment": 1}),
    "stsb": Format(("glue", "STS-B"), "train.tsv", 10, 7, 8, 9, None),
    "wnli": Format(("glue", "WNLI"), "train.tsv", 4, 1, 2, 3, BINARY),
}


@dataclass(frozen=True)
class Row:
    """One example: `second` is None if the task has only one text; `label` is a score for STS-B."""

    first: str
    second: str | None
    label: float


def label_names(task: str) -> list[str]:
    """Return the label names by index, for `config.json`."""
    if task == "sst2":
        return ["negative", "positive"]
    table = FORMATS[task].labels
    return ["score"] if table is None else sorted(table, key=table.get)


def read_train(folders: Folders, task: str) -> list[Row]:
    """Read the training rows of a task."""
    form = FORMATS[task]
    return parse(folders.data_file(*form.folder, form.train), form)


def read_dev(folders: Folders, task: str) -> list[Row]:
    """Read the dev rows of a task, for scoring only; no training step calls this."""
    form = FORMATS[task]
    return parse(folders.data_file(*form.folder, "dev.tsv"), form)


def parse(path: Path, form: Format) -> list[Row]:
    """Read a file. Quotation marks are ordinary text; MRPC starts with a byte-order mark."""
    opener = gzip.open if path.suffix == ".gz" else open
    rows = []
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="\n") as lines:
            for number, line in enumerate(lines, start=1):
                if number == 1 and form.header:
                    continue
                rows.append(_row(line.rstrip("\r\n"), form, f"{path}:{number}"))
    except (UnicodeDecodeError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise TrainingError(f"{path}: not a valid text file: {error}") from None
    if not rows:
        raise TrainingError(f"{path}: contains no rows")
    return rows


def _row(line: str, form: Format, where: str) -> Row:
    cells = line.split("\t")
    if len(cells) != form.columns:
        raise TrainingError(f"{where}: {len(cells)} columns, expected {form.columns}")
    word = cells[form.label].strip()
    if form.labels is None:
        label = _score(word, where)
    elif word in form.labels:
        label = float(form.labels[word])
    else:
        raise TrainingError(f"{where}: label '{word}' is not one of {', '.join(form.labels)}")
    second = None if form.second is None else cells[form.second].strip()
    return Row(cells[form.first].strip(), second, label)


def _score(word: str, where: str) -> float:
    try:
        score = float(word)
    except ValueError:
        score = float("nan")
    if not 0.0 <= score <= 5.0:
        raise TrainingError(f"{where}: label '{word}' isn't a number from 0 to 5")
    return score
