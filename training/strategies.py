"""Strategies as lists of stages: how many steps, which parts learn at which rate, from which terms.

Three are the paper's. In the fourth, "parallel", every layer first learns its own step of the teacher's, from the
teacher's map below it to the one above, all layers at once; then the layers learn together.

Parts of a model are numbered: 0 the embedding, 1..L the layers, L+1 the head.
"""

import re
from dataclasses import dataclass

import torch

from training.config import Loss, Transfer


@dataclass(frozen=True)
class Stage:
    """A stretch of training with one set of rates and one set of terms."""

    name: str
    steps: int
    rates: tuple[float, ...]  # learning rate factor of each part; 0: frozen
    transfer: tuple[int, ...]  # parts whose maps and attention are compared with the teacher's
    distil: bool  # whether the task's own terms (soft, hard, words) count
    depth: int  # layers that have to be computed
    forced: bool = False  # every layer reads the teacher's map instead of what the layer below gives


def plan(strategy: str, transfer: Transfer, loss: Loss, steps: int, layers: int) -> list[Stage]:
    """Stages of one run; `strategy` "plain" is distillation or fine-tuning without layer transfer stages."""
    everywhere = tuple(1.0 for _ in range(layers + 2))
    body = tuple(range(layers + 1))
    compares = loss.raw_maps > 0 or loss.feature_maps > 0 or loss.statistics > 0 or loss.attention > 0
    if strategy in ("plain", "auxiliary"):
        return [Stage(strategy, steps, everywhere, body if compares else (), True, layers)]
    first = min(steps, max(1, round(steps * transfer.share)))
    if strategy == "parallel":
        stages = [Stage("parallel", first, everywhere, body, True, layers, forced=True)]
        if steps > first:
            # Maps alone: two labels per window are noise compared with what every position of every map says.
            gently = tuple(transfer.together_rate for _ in everywhere)
            stages.append(Stage("together", steps - first, (*gently[:-1], 0.0), body, False, layers))
        return stages
    if strategy == "joint":
        stages = [Stage("joint", first, (*everywhere[:-1], 0.0), body, False, layers)]
    else:
        stages = _progressive(first, transfer.lower_rate, layers)
    if steps > first:
        stages.append(Stage("distil", steps - first, everywhere, (), True, layers))
    return stages


def _progressive(steps: int, lower_rate: float, layers: int) -> list[Stage]:
    stages = []
    for part in range(layers + 1):
        share = steps * (part + 1) // (layers + 1) - steps * part // (layers + 1)
        rates = tuple(1.0 if p == part else lower_rate if p < part else 0.0 for p in range(layers + 2))
        stages.append(Stage(f"layer {part}", share, rates, (part,), False, part))
    return [s for s in stages if s.steps]


def stage_at(stages: list[Stage], step: int) -> tuple[Stage, int]:
    """The stage of a step and the step's number within it."""
    for stage in stages:
        if step < stage.steps:
            return stage, step
        step -= stage.steps
    raise IndexError("step past the last stage")


def part_of(name: str, layers: int) -> int:
    """The part a parameter belongs to, by its name in the checkpoint."""
    found = re.search(r"encoder\.layer\.(\d+)\.", name)
    if found:
        return int(found.group(1)) + 1
    return 0 if ".embeddings." in name or name.startswith("embeddings.") else layers + 1


def freeze(model: torch.nn.Module, rates: tuple[float, ...]) -> None:
    """Let only parts with a rate take gradients."""
    layers = len(rates) - 2
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(rates[part_of(name, layers)] > 0)
        parameter.grad = None


def teacher_part(part: int, student_layers: int, teacher_layers: int) -> int | None:
    """The teacher's part to compare with; None between two of them. Both counts must divide."""
    if student_layers % teacher_layers == 0:
        each = student_layers // teacher_layers
        return part // each if part % each == 0 else None
    if teacher_layers % student_layers == 0:
        return part * (teacher_layers // student_layers)
    raise ValueError(f"{student_layers} student layers do not match {teacher_layers} teacher layers")
