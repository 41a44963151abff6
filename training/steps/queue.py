"""Several steps in order: one command for a machine that may be taken away.

Training that is done is not done again, training that was cut off goes on, and a figure that stands is kept; steps of a
few minutes (calibrate, export, ship) are run each time.
"""

import importlib
import tomllib
from pathlib import Path

from training import config as configuration
from training.errors import TrainingError
from training.places import Places


def run_queue(path: Path, places: Places) -> None:
    """Run the steps listed in `path`; configurations lie beside it. All are read before the first one starts."""
    listed = read(path)
    for step, config in listed:
        scored = step == "evaluate" and (places.run(config.name) / "scores.json").exists()
        if not scored:
            importlib.import_module(f"training.steps.{step}").run(config, places)


def read(path: Path) -> list[tuple[str, configuration.Config]]:
    """The steps with their checked configurations."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TrainingError(f"{path}: no such queue file") from None
    except tomllib.TOMLDecodeError as error:
        raise TrainingError(f"{path}: not valid TOML: {error}") from None
    steps = table.get("steps")
    if set(table) != {"steps"} or not isinstance(steps, list):
        raise TrainingError(f"{path}: must hold one list, 'steps', of [step, configuration] pairs")
    known = ("corpus", "pretrain", "teacher", "transfer", "finetune", "calibrate", "evaluate", "export", "ship")
    for entry in steps:
        if not isinstance(entry, list) or len(entry) != 2 or entry[0] not in known:
            raise TrainingError(f"{path}: {entry!r} is no [step, configuration] pair")
    return [(step, configuration.read(path.parent / name)) for step, name in steps]
