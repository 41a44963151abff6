"""Take the finished runs out of a shared checkpoint folder, for the steps that score and export them."""

from pathlib import Path

from training import carry
from training.places import Places
from training.steps.resume import read


def run_checkpoint(folder: Path, places: Places) -> None:
    """Put them into the folder of runs; the checkpoint folder stays as it is."""
    for name in carry.unpack(read(folder), places, folder):
        print(places.run(name))
