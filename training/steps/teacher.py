"""Fine-tune a teacher on a task with hard labels."""

from training.config import Config
from training.folders import Folders
from training.steps import common
from training.time_limit import TimeLimit


def run(config: Config, folders: Folders, limit: TimeLimit | None = None) -> bool:
    """Start or resume training, up to the configured number of steps or the limit; returns whether it is finished."""
    return common.train(config, folders, "plain", limit)
