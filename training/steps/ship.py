"""Make the directory to ship: quantized to 8 or 4 bits, scored with the engine, with a model card."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from training import atomic, card, engine
from training.config import Config
from training.data import glue
from training.errors import TrainingError
from training.folders import Folders
from training.scoring import classes, questions, words


def run(config: Config, folders: Folders) -> None:
    """Quantize `runs/NAME/export`, score both on the whole dev set, and copy the result to the shipped models."""
    score, dtype = _scoring(config)
    source = folders.run(config.name) / "export"
    if not (source / "config.json").is_file():
        raise TrainingError(f"{source}: no exported model; run the step 'export' of '{config.name}' first")
    program = engine.find()
    shipped = folders.run(config.name) / "shipped"
    shutil.rmtree(shipped, ignore_errors=True)
    program.quantize(source, dtype, shipped)
    text = card.write(
        config, folders, source, [*score(config, folders, program, shipped, source), *_checksums(shipped)]
    )
    atomic.write_whole(shipped / "README.md", lambda p: p.write_text(text, encoding="utf-8"))
    target = folders.shipped / config.name
    atomic.replace_folder(shipped, target)
    print(target)


def _scoring(config: Config) -> tuple[Callable[..., list[str]], str]:
    """Return the scoring function for a task, and the data type of the shipped weights."""
    if config.task == "squad":
        return questions.lines, "q8"
    if config.task == "text":
        if not config.data.files:
            raise TrainingError(f"{config.name}: 'data.files' is empty; list text files to score, in the data folder")
        # The masked-word decoder has almost as many weights as the rest, hence 4 bits.
        return words.lines, "q4"
    form = glue.FORMATS.get(config.task)
    if form is None or form.second is not None or form.labels is None:
        raise TrainingError(
            f"{config.name}: 'ship' can't score '{config.task}', only squad, text and single-text classification"
        )
    return classes.lines, "q8"


def _checksums(folder: Path) -> list[str]:
    lines = ["## Files", "", "| file | bytes | SHA-256 |", "|---|---|---|"]
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        lines.append(f"| {path.name} | {len(content)} | `{hashlib.sha256(content).hexdigest()}` |")
    return [*lines, ""]
