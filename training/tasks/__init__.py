"""The tasks that a model can be trained on."""

import dataclasses
from pathlib import Path

import torch

from training.config import Config
from training.data import tokens
from training.folders import Folders
from training.tasks.glue import open_glue
from training.tasks.packed import open_packed
from training.tasks.sentiment import open_sentiment
from training.tasks.squad import open_squad
from training.tasks.task import Task
from training.tasks.text import open_text

__all__ = ["Task", "open_task"]

CPU = torch.device("cpu")


def open_task(config: Config, folders: Folders, tokenizer_from: Path, device: torch.device = CPU) -> Task:
    """The task of a configuration, with its training data; packed data is moved to `device`."""
    if config.data.packed:
        return open_packed(config, folders, device)
    tokenizer = tokens.load(tokenizer_from)
    if config.task == "squad":
        return open_squad(config, folders, tokenizer)
    if config.task == "text":
        return open_text(config, folders, tokenizer)
    if any(dataclasses.astuple(config.data.opinions)):
        return open_sentiment(config, folders, tokenizer)
    return open_glue(config, folders, tokenizer)
