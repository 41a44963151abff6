"""Train variants of one configuration with several seeds each, and tabulate their scores."""

import copy
import dataclasses
import json
import statistics
import tomllib
from dataclasses import dataclass
from pathlib import Path

from training import config as configuration
from training import plots
from training.config import Config
from training.errors import TrainingError
from training.folders import Folders
from training.steps import evaluate, transfer


@dataclass(frozen=True)
class Comparison:
    """The settings of a comparison file."""

    name: str
    metric: str  # key in `scores.json`
    storages: list[str]  # formats in which the weights are scored: f32, q8 or both
    runs: dict[str, list[Config]]  # by variant: one configuration per seed


def run_comparison(path: Path, folders: Folders) -> None:
    """Train and score unfinished runs, write `table.json` and `table.png`, and print the table."""
    comparison = read(path)
    rows = []
    for variant, configs in comparison.runs.items():
        hours = sum(_train(config, folders) for config in configs)
        for storage in comparison.storages:
            label = variant if len(comparison.storages) == 1 else f"{variant}, {storage}"
            rows.append(row(label, [_score(config, folders, storage, comparison.metric) for config in configs], hours))
    folder = folders.run(comparison.name)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "table.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    plots.seeds(rows, comparison.metric, folder / "table.png")
    print(markdown(rows, comparison.metric))


def _train(config: Config, folders: Folders) -> float:
    # Comparisons with the same base share the runs of equal variants, so runs of the same name must be the same.
    folder = folders.run(config.name)
    settings = json.dumps(dataclasses.asdict(config), indent=2) + "\n"
    kept = folder / "settings.json"
    if kept.exists() and kept.read_text(encoding="utf-8") != settings:
        raise TrainingError(
            f"{kept}: this run had different settings; rename the variant or the base, or move the folder away"
        )
    folder.mkdir(parents=True, exist_ok=True)
    kept.write_text(settings, encoding="utf-8")
    transfer.run(config, folders)
    return _figure(folder / "done.json", "hours")


def _score(config: Config, folders: Folders, storage: str, metric: str) -> float:
    path = evaluate.scores_path(config, folders, storage)
    if not path.exists():
        evaluate.run(config, folders, storage)
    return _figure(path, metric)


def row(variant: str, scores: list[float], hours: float) -> dict:
    """A row of the table; the spread is the sample standard deviation, None for a single seed."""
    spread = statistics.stdev(scores) if len(scores) > 1 else None
    return {"variant": variant, "mean": statistics.fmean(scores), "spread": spread, "scores": scores, "hours": hours}


def markdown(rows: list[dict], metric: str) -> str:
    """The table in Markdown, as in RESULTS.md."""
    lines = [f"| variant | {metric} | seeds | hours |", "|---|---|---|---|"]
    for given in rows:
        spread = "" if given["spread"] is None else f" ± {given['spread']:.2f}"
        seeds = ", ".join(f"{score:.2f}" for score in given["scores"])
        lines.append(f"| {given['variant']} | {given['mean']:.2f}{spread} | {seeds} | {given['hours']:.2f} |")
    return "\n".join(lines)


def read(path: Path) -> Comparison:
    """Read a comparison, whose base is in the same folder, and check all of its configurations."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        base = tomllib.loads((path.parent / table.get("base", "")).read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError) as error:
        raise TrainingError(f"{path}: {error.filename}: no such configuration file (key 'base')") from None
    except tomllib.TOMLDecodeError as error:
        raise TrainingError(f"{path}: not valid TOML: {error}") from None
    needed, optional = {"name", "base", "metric", "seeds", "variants"}, {"storages"}
    if unknown := set(table) - needed - optional:
        raise TrainingError(f"{path}: unknown key '{min(unknown)}' (known: {', '.join(sorted(needed | optional))})")
    if missing := needed - set(table):
        raise TrainingError(f"{path}: '{min(missing)}' is missing")
    storages = table.get("storages", ["f32"])
    if not storages or set(storages) - set(evaluate.STORAGES):
        raise TrainingError(f"{path}: 'storages' must be a non-empty list of {' and '.join(evaluate.STORAGES)}")
    runs = {}
    for variant, changes in table["variants"].items():
        runs[variant] = []
        for seed in table["seeds"]:
            changed = merged(base, {**changes, "seed": seed, "name": f"{base.get('name', '')}-{variant}-{seed}"})
            config = configuration.build(Config, changed, f"{path}: variant '{variant}'")
            configuration.check(config, f"{path}: variant '{variant}'")
            runs[variant].append(config)
    return Comparison(table["name"], table["metric"], storages, runs)


def merged(base: dict, changes: dict) -> dict:
    """`base` updated recursively with `changes`."""
    result = copy.deepcopy(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else value
    return result


def _figure(path: Path, key: str) -> float:
    found = json.loads(path.read_text(encoding="utf-8"))
    if key not in found:
        raise TrainingError(f"{path}: no '{key}' (available: {', '.join(found)})")
    return found[key]
