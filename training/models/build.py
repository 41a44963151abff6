"""Building networks from a configuration or a directory."""

import dataclasses
from pathlib import Path

import torch

from training import tensors
from training.config import Student
from training.data.glue import label_names
from training.errors import TrainingError
from training.models import architecture, quantized
from training.models.architecture import Architecture
from training.models.networks import ForPreTraining, ForQuestionAnswering, ForSequenceClassification, Network

NETWORKS = {"squad": ForQuestionAnswering, "text": ForPreTraining}


def student_config(student: Student, task: str) -> Architecture:
    """The architecture of a model built from scratch."""
    if student.family == "ib-bert" and (student.use_bottleneck_attention or student.key_query_shared_bottleneck):
        raise TrainingError(
            "student: ib-bert requires 'use_bottleneck_attention' and 'key_query_shared_bottleneck' to be false"
        )
    if student.num_hidden_layers < 1 or student.intra_bottleneck_size % student.num_attention_heads:
        raise TrainingError(
            "student: needs at least one layer, and a bottleneck width that is a multiple of the number of heads"
        )
    sizes = {name: value for name, value in dataclasses.asdict(student).items() if name != "family"}
    config = Architecture("mobilebert", **sizes, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    return with_labels(config, task)


def with_labels(config: Architecture, task: str) -> Architecture:
    """Set the class names of a classification task."""
    if task not in ("squad", "text"):
        config.id2label = dict(enumerate(label_names(task)))
    return config


def build(config: Architecture, task: str) -> Network:
    """A model with randomly initialized weights."""
    return NETWORKS.get(task, ForSequenceClassification)(config)


def load(directory: Path, task: str, whole: bool = False) -> Network:
    """Load a model in f32. A missing head is randomly initialized, or an error if `whole`."""
    model = build(with_labels(architecture.read(directory), task), task)
    weights = directory / "model.safetensors"
    fill(model, quantized.floats(tensors.read(weights), str(weights)), str(weights), whole)
    return model


@torch.no_grad()
def average(model: Network, other: Network, share: float) -> None:
    """Set the weights of `model` to the weighted mean of both models; `share` is the weight of `other`."""
    weights = other.state_dict()
    for name, tensor in model.state_dict().items():
        if name not in weights or weights[name].shape != tensor.shape:
            raise TrainingError(
                f"'mean_with': {name} is missing or has another shape than that of 'init'; use a model of the same "
                "architecture and task"
            )
        tensor.lerp_(weights[name], share)


def fill(model: Network, state: dict[str, torch.Tensor], where: str, whole: bool = False) -> None:
    """Load tensors by name; a wrong shape or a missing encoder tensor is an error."""
    required = model.state_dict()
    prefix = model.base_model_prefix + "."
    if not any(name.startswith(prefix) for name in state):
        state = {prefix + name: tensor for name, tensor in state.items()}
    for name, tensor in state.items():
        if name in required and required[name].shape != tensor.shape:
            raise TrainingError(
                f"{where}: {name} has shape {list(tensor.shape)}, but the model requires {list(required[name].shape)}"
            )
    tied_names = tied(model)
    missing = [name for name in required if name not in state and name not in tied_names]
    if not whole:
        missing = [name for name in missing if name.startswith(prefix) and "pooler" not in name]
    if missing:
        raise TrainingError(f"{where}: missing {missing[0]}" + (f" and {len(missing) - 1} more" if missing[1:] else ""))
    model.load_state_dict({name: tensor for name, tensor in state.items() if name in required}, strict=False)


def tied(model: torch.nn.Module) -> set[str]:
    """The duplicate names of tied tensors, which are neither saved nor required."""
    first_names, duplicates = {}, set()
    for name, tensor in model.state_dict(keep_vars=True).items():
        if first_names.setdefault(id(tensor), name) != name:
            duplicates.add(name)
    return duplicates


def encoder(model: Network) -> torch.nn.Module:
    """Return the model without its head."""
    return model.body
