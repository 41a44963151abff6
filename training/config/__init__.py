"""Configuration files: TOML parsed into typed dataclasses, one per section."""

from training.config.checks import check
from training.config.reading import build, build_checked, read, read_toml
from training.config.sections import (
    Card,
    Config,
    Data,
    Loop,
    Loss,
    Models,
    Opinions,
    Optim,
    SpanCosts,
    Student,
    Transfer,
    Unanswerable,
)

__all__ = [
    "Card",
    "Config",
    "Data",
    "Loop",
    "Loss",
    "Models",
    "Opinions",
    "Optim",
    "SpanCosts",
    "Student",
    "Transfer",
    "Unanswerable",
    "build",
    "build_checked",
    "check",
    "read",
    "read_toml",
]
