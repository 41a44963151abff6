"""Fine-tune a teacher on a task with hard labels."""

from training.config import Config
from training.limit import Limit
from training.places import Places
from training.steps import common


def run(config: Config, places: Places, limit: Limit | None = None) -> bool:
    """Start or resume training, up to the configured number of steps or the limit; returns whether it is finished."""
    return common.train(config, places, "plain", limit)
