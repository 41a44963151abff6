"""Extract the finished runs from a shared checkpoint folder, for the steps that score and export them."""

from pathlib import Path

from training import carry
from training.places import Places
from training.steps.resume import read


def run_checkpoint(folder: Path, places: Places) -> None:
    """Extract the runs to the folder of runs; the checkpoint folder is unchanged."""
    for name in carry.unpack(read(folder), places, folder):
        print(places.run(name))
