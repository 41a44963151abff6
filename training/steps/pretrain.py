"""Pre-train a student or an IB-BERT teacher on masked words and next-sentence prediction."""

from training.config import Config
from training.errors import TrainingError
from training.folders import Folders
from training.steps import common
from training.time_limit import TimeLimit


def run(config: Config, folders: Folders, limit: TimeLimit | None = None) -> bool:
    """Start or resume training, up to the configured number of steps or the limit; returns whether it is finished."""
    if config.task != "text":
        raise TrainingError(f"{config.name}: pre-training requires 'task' = \"text\"")
    return common.train(config, folders, "plain", limit)
