"""Transfer knowledge from a teacher to a student: feature maps and attention, then predictions."""

from training.config import Config
from training.errors import TrainingError
from training.folders import Folders
from training.steps import common
from training.time_limit import TimeLimit


def run(config: Config, folders: Folders, limit: TimeLimit | None = None) -> bool:
    """Start or resume training with the configured strategy; returns whether it is finished."""
    if not config.models.teacher:
        raise TrainingError(f"{config.name}: 'models.teacher' is missing; transfer requires one")
    loss = config.loss
    compares = loss.raw_maps or loss.feature_maps or loss.statistics or loss.attention
    if config.transfer.strategy != "auxiliary" and not compares:
        raise TrainingError(
            f"{config.name}: strategy '{config.transfer.strategy}' first trains on layer losses, but 'raw_maps', "
            "'feature_maps', 'statistics' and 'attention' are all 0; set one of them or use 'auxiliary'"
        )
    return common.train(config, folders, config.transfer.strategy, limit)
