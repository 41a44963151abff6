"""Tokenize one epoch of a task's training examples for a machine that only trains."""

import dataclasses

from training import parallel
from training.config import Config
from training.data import packed
from training.errors import TrainingError
from training.folders import Folders
from training.models.save import tokenizer_directory
from training.tasks import open_task


def run(config: Config, folders: Folders) -> None:
    """Write the file that `data.packed` names to the subfolder `packed` of the folder of runs."""
    if not config.data.packed:
        raise TrainingError(f"{config.name}: 'data.packed' is missing; set it to the name of the file to write")
    path = folders.out / "packed" / f"{config.data.packed}.xz"
    # Read the text, and all of it: examples are held out when the packed file is read.
    text = dataclasses.replace(config.data, packed="")
    unsplit = dataclasses.replace(config, data=text, loop=dataclasses.replace(config.loop, evaluate_every=0))
    task = open_task(unsplit, folders, tokenizer_directory(config, folders))
    if parallel.first():
        examples = packed.collect(task.batch_at, task.per_epoch)
        packed.write(path, examples)
        print(f"{path}: {len(examples.lengths)} examples, {len(examples.pieces)} pieces, {path.stat().st_size} bytes")
