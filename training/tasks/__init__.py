"""The tasks a model can be trained on."""

from training.config import Config
from training.places import Places
from training.tasks.glue import open_glue
from training.tasks.squad import open_squad
from training.tasks.task import Task
from training.tasks.text import open_text

__all__ = ["Task", "open_task"]


def open_task(config: Config, places: Places, tokenizer) -> Task:
    """The task a configuration names, on its training file."""
    if config.task == "squad":
        return open_squad(config, places, tokenizer)
    if config.task == "text":
        return open_text(config, places, tokenizer)
    return open_glue(config, places, tokenizer)
