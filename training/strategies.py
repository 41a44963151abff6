"""Training strategies as lists of stages: number of steps, learning rate of each part, and loss terms.

Three are the paper's. In the fourth, "parallel", every layer first learns to compute the teacher's feature map above it
from the one below it, all layers at once; then the layers are trained together.

Parts of a model are numbered: 0 the embedding, 1..L the layers, L+1 the head.
"""

import re
from dataclasses import dataclass

import torch

from training.config import Loss, Transfer


@dataclass(frozen=True)
class Stage:
    """A phase of training with fixed learning rate factors and loss terms."""

    name: str
    steps: int
    rates: tuple[float, ...]  # learning rate factor of each part; 0: frozen
    transfer: tuple[int, ...]  # parts whose feature maps and attention are compared with the teacher's
    distil: bool  # whether the task's own loss terms (soft, hard, words) count
    depth: int  # number of layers to compute
    forced: bool = False  # every layer reads the teacher's feature map instead of the output of the layer below


def plan(strategy: str, transfer: Transfer, loss: Loss, steps: int, layers: int) -> list[Stage]:
    """The stages of a run; strategy "plain" is distillation or fine-tuning without layer transfer."""
    full_rates = (1.0,) * (layers + 2)
    body = tuple(range(layers + 1))
    compares = loss.raw_maps > 0 or loss.feature_maps > 0 or loss.statistics > 0 or loss.attention > 0
    if strategy in ("plain", "auxiliary"):
        return [Stage(strategy, steps, full_rates, body if compares else (), True, layers)]
    transfer_steps = min(steps, max(1, round(steps * transfer.share)))
    remaining = steps - transfer_steps
    if strategy == "parallel":
        stages = [Stage("parallel", transfer_steps, full_rates, body, True, layers, forced=True)]
        if remaining:
            # Maps only: next to targets for every position of every map, two labels per window are noise.
            rates = (*(transfer.together_rate for _ in body), 0.0)
            stages.append(Stage("together", remaining, rates, body, False, layers))
        return stages
    if strategy == "joint":
        stages = [Stage("joint", transfer_steps, (*full_rates[:-1], 0.0), body, False, layers)]
    else:
        stages = _progressive(transfer_steps, transfer.lower_rate, layers)
    if remaining:
        stages.append(Stage("distil", remaining, full_rates, (), True, layers))
    return stages


def _progressive(steps: int, lower_rate: float, layers: int) -> list[Stage]:
    stages = []
    for part in range(layers + 1):
        count = steps * (part + 1) // (layers + 1) - steps * part // (layers + 1)
        rates = tuple(1.0 if p == part else lower_rate if p < part else 0.0 for p in range(layers + 2))
        stages.append(Stage(f"layer {part}", count, rates, (part,), False, part))
    return [stage for stage in stages if stage.steps]


def stage_at(stages: list[Stage], step: int) -> tuple[Stage, int]:
    """The stage of a step and the step's index within it."""
    for stage in stages:
        if step < stage.steps:
            return stage, step
        step -= stage.steps
    raise IndexError("step past the last stage")


def part_of(name: str, layers: int) -> int:
    """The part that a parameter belongs to, from its name in the checkpoint."""
    match = re.search(r"encoder\.layer\.(\d+)\.", name)
    if match:
        return int(match.group(1)) + 1
    return 0 if ".embeddings." in name or name.startswith("embeddings.") else layers + 1


def freeze(model: torch.nn.Module, rates: tuple[float, ...]) -> None:
    """Disable gradients for parts with a learning rate factor of 0."""
    layers = len(rates) - 2
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(rates[part_of(name, layers)] > 0)
        parameter.grad = None


def teacher_part(part: int, student_layers: int, teacher_layers: int) -> int | None:
    """The teacher's part to compare with, or None if there is none. One count must be a multiple of the other."""
    if student_layers % teacher_layers == 0:
        per_teacher_layer = student_layers // teacher_layers
        return part // per_teacher_layer if part % per_teacher_layer == 0 else None
    if teacher_layers % student_layers == 0:
        return part * (teacher_layers // student_layers)
    raise ValueError(f"{student_layers} student layers do not match {teacher_layers} teacher layers")
