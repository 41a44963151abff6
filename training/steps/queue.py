"""Run several steps in order, with one command that can be interrupted and repeated.

Finished training isn't repeated, interrupted training is resumed, and existing scores are kept. Steps that take a few
minutes (calibrate, export, ship) are run each time.
"""

import importlib
from collections.abc import Sequence
from pathlib import Path

from training import bundles, shared_folder
from training import config as configuration
from training.errors import TrainingError
from training.folders import Folders
from training.time_limit import TRAINING, TimeLimit


def run_queue(path: Path, folders: Folders, limit: TimeLimit | None = None, overrides: Sequence[str] = ()) -> None:
    """Run the steps listed in `path`. Their configurations, in the same folder, are all read before the first step."""
    steps = read(path, overrides)
    if folders.checkpoints and (bundle := bundles.read(folders.checkpoints)):
        shared_folder.unpack(bundle, folders, folders.checkpoints)
    for step, config in steps:
        if step == "evaluate" and (folders.run(config.name) / "scores.json").exists():
            continue
        module = importlib.import_module(f"training.steps.{step}")
        if step not in TRAINING:
            module.run(config, folders)
            continue
        try:
            if not module.run(config, folders, limit):
                return
        except shared_folder.SharedFolderFull as error:
            print(error)
            return


def read(path: Path, overrides: Sequence[str] = ()) -> list[tuple[str, configuration.Config]]:
    """The steps with their checked configurations."""
    table = configuration.read_toml(path)
    steps = table.get("steps")
    if set(table) != {"steps"} or not isinstance(steps, list):
        raise TrainingError(f"{path}: must contain only 'steps', a list of [step, configuration] pairs")
    known = (*TRAINING, "corpus", "calibrate", "evaluate", "export", "ship")
    for entry in steps:
        if not (isinstance(entry, list) and len(entry) == 2 and entry[0] in known and isinstance(entry[1], str)):
            raise TrainingError(
                f"{path}: {entry!r} is not a valid [step, configuration] pair; steps are {', '.join(known)}"
            )
    return [(step, configuration.read(path.parent / name, overrides)) for step, name in steps]
