"""Fine-tune a student on a task, with the soft labels of the fine-tuned teacher where one is named."""

from training.config import Config
from training.limit import Limit
from training.places import Places
from training.steps import common


def run(config: Config, places: Places, limit: Limit | None = None) -> bool:
    """Train, or go on training, until the configured number of steps or the limit; says whether it is finished."""
    return common.train(config, places, "plain", limit)
