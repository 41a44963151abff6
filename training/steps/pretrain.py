"""Pre-train on masked words and next-sentence pairs: a student or an IB-BERT teacher of any size."""

from training.config import Config
from training.errors import TrainingError
from training.places import Places
from training.steps import common


def run(config: Config, places: Places) -> None:
    """Train, or go on training, until the configured number of steps."""
    if config.task != "text":
        raise TrainingError(f"{config.name}: 'task' must be text to pre-train")
    print(common.train(config, places, "plain"))
