"""Go on with the run that a checkpoint folder is of, by the configuration that is stored in it."""

import dataclasses
from pathlib import Path

from training import carry, parts, state
from training.errors import TrainingError
from training.limit import Limit
from training.places import Places
from training.steps import common


def run_checkpoint(folder: Path, places: Places, limit: Limit | None = None) -> None:
    """Unpack what the folder carries, and train on; the checkpoint is kept in `folder`."""
    bundle = read(folder)
    places = dataclasses.replace(places, checkpoints=folder)
    finished = carry.unpack(bundle, places, folder)
    if "run" not in bundle.about:
        print(f"nothing is under way in {folder}; finished: {', '.join(finished) or 'nothing'}, in {places.out}")
        return
    common.train(state.config_of(bundle, folder), places, bundle.about["run"]["strategy"], limit)


def read(folder: Path) -> parts.Bundle:
    """A checkpoint that must be there."""
    bundle = parts.read(folder)
    if bundle is None:
        raise TrainingError(f"{folder}: no checkpoint there; it has an {parts.INDEX} and parts next to it")
    return bundle
