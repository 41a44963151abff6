"""Teach a student layer by layer: feature maps and attention of the teacher, then its predictions."""

from training.config import Config
from training.errors import TrainingError
from training.places import Places
from training.steps import common


def run(config: Config, places: Places) -> None:
    """Train, or go on training, by the configured strategy."""
    if not config.models.teacher:
        raise TrainingError(f"{config.name}: 'models.teacher' is missing: transfer needs one")
    print(common.train(config, places, config.transfer.strategy))
