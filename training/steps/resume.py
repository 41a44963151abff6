"""Resume the run in a checkpoint folder, with the configuration that is stored there."""

import dataclasses
from pathlib import Path

from training import bundles, shared_folder, state
from training.errors import TrainingError
from training.folders import Folders
from training.steps import common
from training.time_limit import TimeLimit


def run_checkpoint(folder: Path, folders: Folders, limit: TimeLimit | None = None) -> None:
    """Extract the finished runs from the folder and resume training; checkpoints are written to the same folder."""
    bundle = read(folder)
    folders = dataclasses.replace(folders, checkpoints=folder)
    finished = shared_folder.unpack(bundle, folders, folder)
    if "run" not in bundle.about:
        print(f"no unfinished run in {folder}; finished: {', '.join(finished) or 'none'}, in {folders.out}")
        return
    common.train(state.config_of(bundle, folder), folders, bundle.about["run"]["strategy"], limit)


def read(folder: Path) -> bundles.Bundle:
    """Read a checkpoint; a missing one is an error."""
    bundle = bundles.read(folder)
    if bundle is None:
        raise TrainingError(f"{folder}: not a checkpoint folder; it must contain {bundles.INDEX}")
    return bundle
