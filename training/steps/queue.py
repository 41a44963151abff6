"""Run several steps in order, with one command that can be interrupted and repeated.

Finished training isn't repeated, interrupted training is resumed, and existing scores are kept. Steps that take a few
minutes (calibrate, export, ship) are run each time.
"""

import importlib
import tomllib
from collections.abc import Sequence
from pathlib import Path

from training import bundles, shared_folder
from training import config as configuration
from training.errors import TrainingError
from training.folders import Folders
from training.time_limit import TRAINING, TimeLimit


def run_queue(path: Path, folders: Folders, limit: TimeLimit | None = None, changes: Sequence[str] = ()) -> None:
    """Run the steps listed in `path`. Their configurations, in the same folder, are all read before the first step."""
    listed = read(path, changes)
    if folders.checkpoints and (bundle := bundles.read(folders.checkpoints)):
        shared_folder.unpack(bundle, folders, folders.checkpoints)
    for step, config in listed:
        scored = step == "evaluate" and (folders.run(config.name) / "scores.json").exists()
        if scored:
            continue
        module = importlib.import_module(f"training.steps.{step}")
        if step not in TRAINING:
            module.run(config, folders)
            continue
        try:
            if not module.run(config, folders, limit):
                return
        except shared_folder.Full as full:
            print(full)
            return


def read(path: Path, changes: Sequence[str] = ()) -> list[tuple[str, configuration.Config]]:
    """The steps with their checked configurations."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TrainingError(f"{path}: no such queue file") from None
    except tomllib.TOMLDecodeError as error:
        raise TrainingError(f"{path}: not valid TOML: {error}") from None
    steps = table.get("steps")
    if set(table) != {"steps"} or not isinstance(steps, list):
        raise TrainingError(f"{path}: must contain only 'steps', a list of [step, configuration] pairs")
    known = (*TRAINING, "corpus", "calibrate", "evaluate", "export", "ship")
    for entry in steps:
        if not isinstance(entry, list) or len(entry) != 2 or entry[0] not in known:
            raise TrainingError(f"{path}: {entry!r} is not a valid [step, configuration] pair")
    return [(step, configuration.read(path.parent / name, changes)) for step, name in steps]
