"""Fine-tune a student on a task, with the soft labels of the fine-tuned teacher where one is named."""

from training.config import Config
from training.places import Places
from training.steps import common


def run(config: Config, places: Places) -> None:
    """Train, or go on training, until the configured number of steps."""
    print(common.train(config, places, "plain"))
