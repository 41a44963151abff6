"""Extract the finished runs from a shared checkpoint folder, for the steps that score and export them."""

from pathlib import Path

from training import shared_folder
from training.folders import Folders
from training.steps.resume import read


def run_checkpoint(folder: Path, folders: Folders) -> None:
    """Extract the runs to the folder of runs; the checkpoint folder is unchanged."""
    for name in shared_folder.unpack(read(folder), folders, folder):
        print(folders.run(name))
