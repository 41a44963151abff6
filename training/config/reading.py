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


def read(path: Path, overrides: Sequence[str] = ()) -> Config:
    """Read and check one file; `overrides` are `section.key=value` (or `key=value`) with values in TOML."""
    return build_checked(read_toml(path), overrides, str(path))


def read_toml(path: Path) -> dict:
    """Read a TOML file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TrainingError(f"{path}: no such configuration file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path}: not valid TOML: {error}") from None


def build_checked(table: dict, overrides: Sequence[str], where: str) -> Config:
    """Build and check a configuration; `overrides` are applied to `table` in place."""
    for override in overrides:
        _apply(override, table)
    config = build(Config, table, where)
    check(config, where)
    return config


def _apply(override: str, table: dict) -> None:
    name, equals, value = override.partition("=")
    *sections, key = (part.strip() for part in name.split("."))
    try:
        value = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        equals = ""
    if not equals or not key:
        raise TrainingError(
            f"--set {override}: must be section.key=value with a value in TOML, such as optim.batch_size=8"
        )
    for section in sections:
        table = table.setdefault(section, {})
        if not isinstance(table, dict):
            raise TrainingError(f"--set {override}: '{section}' is a key, not a section")
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
    if dataclasses.is_dataclass(kind) or kind is dict:
        if not isinstance(value, dict):
            raise TrainingError(f"{where} must be a table")
        return value if kind is dict else build(kind, value, where)
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
