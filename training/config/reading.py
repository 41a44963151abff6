"""Reading configuration files: TOML to dataclasses; unknown keys and wrong types are rejected."""

import dataclasses
import tomllib
import types
import typing
from collections.abc import Sequence
from pathlib import Path

from training.config.checks import check
from training.config.sections import Config
from training.errors import TrainingError


def read(path: Path, changes: Sequence[str] = ()) -> Config:
    """Read and check one file; `changes` are `section.key=value` (or `key=value`) with values in TOML."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TrainingError(f"{path}: no such configuration file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path}: not valid TOML: {error}") from None
    for change in changes:
        _change(table, change)
    config = build(Config, table, str(path))
    check(config, str(path))
    return config


def _change(table: dict, change: str) -> None:
    name, given, value = change.partition("=")
    *sections, key = (part.strip() for part in name.split("."))
    try:
        value = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        given = ""
    if not given or not key:
        raise TrainingError(
            f"--set {change}: must be section.key=value with a value in TOML, such as optim.batch_size=8"
        )
    for section in sections:
        table = table.setdefault(section, {})
        if not isinstance(table, dict):
            raise TrainingError(f"--set {change}: '{section}' is a key, not a section")
    table[key] = value


def build(kind: type, table: dict, where: str):
    """Fill the dataclass `kind` from `table`; `where` is the location shown in error messages."""
    fields = {f.name: f for f in dataclasses.fields(kind)}
    hints = typing.get_type_hints(kind)
    values = {}
    for key, value in table.items():
        if key not in fields:
            raise TrainingError(f"{where}: unknown key '{key}' (known: {', '.join(sorted(fields))})")
        values[key] = _value(hints[key], value, f"{where}: '{key}'")
    return kind(**values)


def _value(kind, value, where: str):
    if dataclasses.is_dataclass(kind):
        if not isinstance(value, dict):
            raise TrainingError(f"{where} must be a table")
        return build(kind, value, where)
    if isinstance(kind, types.GenericAlias):
        (item,) = typing.get_args(kind)
        if not isinstance(value, list) or not all(type(v) is item for v in value):
            raise TrainingError(f"{where} must be a list of {'strings' if item is str else 'integers'}")
        return value
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise TrainingError(f"{where} must be {kind.__name__}, not {value!r}")
    return value
