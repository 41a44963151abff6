"""Deepens a MobileBERT without changing its outputs until it is trained further.

It inserts copies of layers whose projection back to the stream is zero: they add nothing at first, but their inner
weights are already useful (block expansion, Wu et al. 2024, https://arxiv.org/abs/2401.02415).
"""

import torch

from training.errors import TrainingError
from training.models import build
from training.models.architecture import Architecture
from training.models.networks import Network


@torch.no_grad()
def deepen(model: Network, task: str, after: list[int]) -> Network:
    """Return `model` with a copy of each layer numbered in `after` (from 1) inserted after it."""
    config = Architecture(**model.config.to_json())
    _check(config, after)
    config.num_hidden_layers += len(after)
    deeper = build.build(config, task)
    rest = {name: tensor for name, tensor in model.state_dict().items() if ".encoder.layer." not in name}
    deeper.load_state_dict(rest, strict=False)
    layers = iter(deeper.body.encoder.layer)
    for number, layer in enumerate(model.body.encoder.layer, start=1):
        next(layers).load_state_dict(layer.state_dict())
        if number in after:
            added = next(layers)
            added.load_state_dict(layer.state_dict())
            _silence(added)
    return deeper


def _check(config: Architecture, after: list[int]) -> None:
    if config.model_type != "mobilebert" or not config.use_bottleneck or config.normalization_type != "no_norm":
        raise TrainingError("'deepen_after': only a MobileBERT with bottlenecks and NoNorm can be deepened")
    if len(set(after)) != len(after) or not all(1 <= number <= config.num_hidden_layers for number in after):
        raise TrainingError(
            f"'deepen_after' must be distinct numbers from 1 to {config.num_hidden_layers}, not {after}"
        )


def _silence(layer: torch.nn.Module) -> None:
    projection = layer.output.bottleneck
    for parameter in (projection.dense.weight, projection.dense.bias, projection.LayerNorm.bias):
        parameter.zero_()
    projection.LayerNorm.weight.fill_(1.0)
