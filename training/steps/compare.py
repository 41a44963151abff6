"""Train variants of one configuration with several seeds each, and tabulate their scores."""

import copy
import dataclasses
import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from training import atomic, plots
from training import config as configuration
from training.config import Config
from training.errors import TrainingError
from training.folders import Folders
from training.steps import evaluate, transfer


@dataclass
class ComparisonFile:
    """The keys of a comparison file; only `storages` may be omitted."""

    name: str = ""
    base: str = ""  # configuration file in the same folder
    metric: str = ""
    seeds: list[int] = field(default_factory=list)
    variants: dict = field(default_factory=dict)  # by name: the keys that the variant changes in the base
    storages: list[str] = field(default_factory=lambda: ["f32"])


@dataclass(frozen=True)
class Comparison:
    """The settings of a comparison."""

    name: str
    metric: str  # key in `scores.json`
    storages: list[str]  # formats in which the weights are scored: f32, q8 or both
    runs: dict[str, list[Config]]  # by variant: one configuration per seed


def run_comparison(path: Path, folders: Folders, overrides: Sequence[str] = ()) -> None:
    """Train and score unfinished runs, write `table.json` and `table.png`, and print the table."""
    comparison = read(path, overrides)
    rows = []
    for variant, configs in comparison.runs.items():
        hours = sum(_train(config, folders) for config in configs)
        for storage in comparison.storages:
            label = variant if len(comparison.storages) == 1 else f"{variant}, {storage}"
            scores = [_score(config, folders, storage, comparison.metric) for config in configs]
            rows.append(table_row(label, scores, hours))
    folder = folders.run(comparison.name)
    atomic.write_whole(folder / "table.json", lambda p: p.write_text(json.dumps(rows, indent=2) + "\n"))
    plots.seeds(rows, comparison.metric, folder / "table.png")
    print(markdown(rows, comparison.metric))


def _train(config: Config, folders: Folders) -> float:
    # Comparisons with the same base share the runs of equal variants, so runs of the same name must be the same.
    folder = folders.run(config.name)
    settings = json.dumps(dataclasses.asdict(config), indent=2) + "\n"
    path = folder / "settings.json"
    if path.exists() and path.read_text(encoding="utf-8") != settings:
        raise TrainingError(
            f"{path}: this run had different settings; rename the variant or the base, or move the folder away"
        )
    atomic.write_whole(path, lambda partial: partial.write_text(settings))
    transfer.run(config, folders)
    return _figure(folder / "done.json", "hours")


def _score(config: Config, folders: Folders, storage: str, metric: str) -> float:
    path = evaluate.scores_path(config, folders, storage)
    if not path.exists():
        evaluate.run(config, folders, storage)
    return _figure(path, metric)


def table_row(variant: str, scores: list[float], hours: float) -> dict:
    """A row of the table; the spread is the sample standard deviation, None for a single seed."""
    spread = statistics.stdev(scores) if len(scores) > 1 else None
    return {"variant": variant, "mean": statistics.fmean(scores), "spread": spread, "scores": scores, "hours": hours}


def markdown(rows: list[dict], metric: str) -> str:
    """The table in Markdown, as in RESULTS.md."""
    lines = [f"| variant | {metric} | seeds | hours |", "|---|---|---|---|"]
    for row in rows:
        spread = "" if row["spread"] is None else f" ± {row['spread']:.2f}"
        seeds = ", ".join(f"{score:.2f}" for score in row["scores"])
        lines.append(f"| {row['variant']} | {row['mean']:.2f}{spread} | {seeds} | {row['hours']:.2f} |")
    return "\n".join(lines)


def read(path: Path, overrides: Sequence[str] = ()) -> Comparison:
    """Read a comparison, whose base is in the same folder, and check all of its configurations.

    `overrides` apply to every run, after the changes of its variant.
    """
    file = configuration.build(ComparisonFile, configuration.read_toml(path), str(path))
    for key in ("name", "base", "metric", "seeds", "variants"):
        if not getattr(file, key):
            raise TrainingError(f"{path}: '{key}' is missing")
    if not file.storages or set(file.storages) - set(evaluate.STORAGES):
        raise TrainingError(f"{path}: 'storages' must be a non-empty list of {' and '.join(evaluate.STORAGES)}")
    base = configuration.read_toml(path.parent / file.base)
    runs: dict[str, list[Config]] = {}
    for variant, changes in file.variants.items():
        where = f"{path}: variant '{variant}'"
        if not isinstance(changes, dict):
            raise TrainingError(f"{where} must be a table of the keys that it changes")
        runs[variant] = []
        for seed in file.seeds:
            name = f"{base.get('name', '')}-{variant}-{seed}"
            table = merged(base, {**changes, "seed": seed, "name": name})
            runs[variant].append(configuration.build_checked(table, overrides, where))
    return Comparison(file.name, file.metric, file.storages, runs)


def merged(base: dict, changes: dict) -> dict:
    """`base` updated recursively with `changes`."""
    result = copy.deepcopy(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else value
    return result


def _figure(path: Path, key: str) -> float:
    figures = json.loads(path.read_text(encoding="utf-8"))
    if key not in figures:
        raise TrainingError(f"{path}: no '{key}' (available: {', '.join(figures)})")
    return figures[key]
