"""Resume the run in a checkpoint folder, with the configuration that is stored there."""

import dataclasses
from pathlib import Path

from training import carry, parts, state
from training.errors import TrainingError
from training.limit import Limit
from training.places import Places
from training.steps import common


def run_checkpoint(folder: Path, places: Places, limit: Limit | None = None) -> None:
    """Extract the finished runs from the folder and resume training; checkpoints are written to the same folder."""
    bundle = read(folder)
    places = dataclasses.replace(places, checkpoints=folder)
    finished = carry.unpack(bundle, places, folder)
    if "run" not in bundle.about:
        print(f"no unfinished run in {folder}; finished: {', '.join(finished) or 'none'}, in {places.out}")
        return
    common.train(state.config_of(bundle, folder), places, bundle.about["run"]["strategy"], limit)


def read(folder: Path) -> parts.Bundle:
    """Read a checkpoint; a missing one is an error."""
    bundle = parts.read(folder)
    if bundle is None:
        raise TrainingError(f"{folder}: not a checkpoint folder; it must contain {parts.INDEX}")
    return bundle
