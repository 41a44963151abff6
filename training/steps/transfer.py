"""Teach a student layer by layer: feature maps and attention of the teacher, then its predictions."""

from training.config import Config
from training.errors import TrainingError
from training.limit import Limit
from training.places import Places
from training.steps import common


def run(config: Config, places: Places, limit: Limit | None = None) -> bool:
    """Train, or go on training, by the configured strategy."""
    if not config.models.teacher:
        raise TrainingError(f"{config.name}: 'models.teacher' is missing: transfer needs one")
    loss = config.loss
    compares = loss.raw_maps or loss.feature_maps or loss.statistics or loss.attention
    if config.transfer.strategy != "auxiliary" and not compares:
        raise TrainingError(
            f"{config.name}: strategy '{config.transfer.strategy}' begins with layers alone, and all of 'raw_maps', "
            "'feature_maps', 'statistics' and 'attention' are 0; give one a weight or take 'auxiliary'"
        )
    return common.train(config, places, config.transfer.strategy, limit)
