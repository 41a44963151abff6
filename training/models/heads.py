"""Initializes a student's layers from its teacher: copies the most important heads and fits the output.

MobileBERT's heads are as wide as MiniLM's (32), but there are 4 of them instead of 12. So each student layer copies the
teacher's heads that contribute most to the layer's output, with query and key projected on the principal axes of their
input, and its output bottleneck is initialized with the least-squares fit to the teacher's next feature map.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import torch

from training.data.batches import Batch
from training.errors import TrainingError
from training.models.build import encoder
from training.models.modules import key_mask
from training.models.start import principal_axes

# Saved next to a student's weights, since choosing other heads later would undo what it has learned.
RECORD = "heads.json"


@dataclass
class TeacherOutputs:
    """A teacher's outputs on sample batches: feature maps `[batch, sequence, width]` and attention, by layer."""

    maps: tuple[torch.Tensor, ...]
    attentions: tuple[torch.Tensor, ...]
    mask: torch.Tensor  # [batch, sequence], 1 for tokens, 0 for padding


@torch.no_grad()
def run_teacher(teacher: torch.nn.Module, batch: Batch) -> TeacherOutputs:
    """Run the teacher on a batch."""
    out = encoder(teacher)(**batch.inputs(), output_hidden_states=True, output_attentions=True)
    return TeacherOutputs(out.hidden_states, out.attentions, batch.attention_mask)


@torch.no_grad()
def choose(teacher: torch.nn.Module, outputs: TeacherOutputs, count: int) -> list[list[int]]:
    """For each teacher layer, the indices of the `count` heads whose part of the output varies most, ascending."""
    chosen = []
    for number, layer in enumerate(encoder(teacher).encoder.layer):
        contexts = _contexts(layer, outputs, number)
        weight = layer.attention.output.dense.weight
        width = contexts[0].shape[1]
        variances = [
            (context @ weight[:, i * width : (i + 1) * width].T).var(0, unbiased=False).sum().item()
            for i, context in enumerate(contexts)
        ]
        chosen.append(sorted(sorted(range(len(contexts)), key=lambda i: -variances[i])[:count]))
    return chosen


def read(path: Path) -> list[list[int]]:
    """Read the heads that an earlier run chose for its student."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TrainingError(
            f"{path}: not found, so it isn't known which of the teacher's heads this student has learned; "
            "use a student trained with 'heads' = \"chosen\", or omit 'heads'"
        ) from None
    except json.JSONDecodeError as error:
        raise TrainingError(f"{path}: not valid JSON: {error}") from None


def can_copy(student: torch.nn.Module, teacher: torch.nn.Module) -> bool:
    """Return whether heads can be copied: same number of layers and widths, and a shared bottleneck."""
    target, source = encoder(student).config, encoder(teacher).config
    return (
        (target.model_type, source.model_type) == ("mobilebert", "bert")
        and target.num_hidden_layers == source.num_hidden_layers
        and target.hidden_size == source.hidden_size
        and target.intra_bottleneck_size // target.num_attention_heads
        == source.hidden_size // source.num_attention_heads
        and target.normalization_type == "no_norm"
        and target.use_bottleneck
        and target.key_query_shared_bottleneck
        and not target.use_bottleneck_attention
    )


@torch.no_grad()
def start_layers(
    student: torch.nn.Module, teacher: torch.nn.Module, outputs: TeacherOutputs, chosen: list[list[int]]
) -> None:
    """Initialize all layers of the student except the feed-forward networks, whose weights stay close to zero."""
    layers = zip(encoder(student).encoder.layer, encoder(teacher).encoder.layer, strict=True)
    for number, (layer, source) in enumerate(layers):
        _copy_heads(layer, source, outputs, number, chosen[number])
        _fit_output(layer, outputs, number)


def _contexts(layer, outputs: TeacherOutputs, number: int) -> list[torch.Tensor]:
    # Each head's attention-weighted values, [tokens, head width].
    stream, probabilities = outputs.maps[number], outputs.attentions[number]
    value = layer.attention.self.value(stream)
    value = value.view(*stream.shape[:2], probabilities.shape[1], -1).transpose(1, 2)
    context = probabilities @ value
    return [context[:, i][outputs.mask > 0] for i in range(context.shape[1])]


def _copy_heads(layer, source, outputs: TeacherOutputs, number: int, heads: list[int]) -> None:
    stream = outputs.maps[number][outputs.mask > 0]
    mean = stream.mean(0)
    student, teacher = layer.attention.self, source.attention.self
    width = student.query.weight.shape[0] // len(heads)
    rows = torch.cat([torch.arange(width * i, width * (i + 1)) for i in heads])
    query_and_key = torch.cat([teacher.query.weight[rows], teacher.key.weight[rows]])
    _, axes = principal_axes((stream - mean) @ query_and_key.T, student.query.weight.shape[1])
    shared = layer.bottleneck.attention.dense
    shared.weight.copy_(axes.T @ query_and_key)
    shared.bias.copy_(-shared.weight @ mean)
    for target, source_linear, part in (
        (student.query, teacher.query, axes[: len(rows)]),
        (student.key, teacher.key, axes[len(rows) :]),
    ):
        target.weight.copy_(part)
        target.bias.copy_(source_linear.bias[rows] + source_linear.weight[rows] @ mean)
    student.value.weight.copy_(teacher.value.weight[rows])
    student.value.bias.copy_(teacher.value.bias[rows])
    bottleneck = layer.bottleneck.input.dense
    _, axes = principal_axes(stream, bottleneck.weight.shape[0])
    bottleneck.weight.copy_(axes.T)
    bottleneck.bias.copy_(-axes.T @ mean)
    output = layer.attention.output.dense
    output.weight.copy_(axes.T @ source.attention.output.dense.weight[:, rows])
    contexts = _contexts(source, outputs, number)
    output.bias.copy_(-output.weight @ torch.cat([contexts[i].mean(0) for i in heads]))


def _fit_output(layer, outputs: TeacherOutputs, number: int) -> None:
    # Fits following ≈ gain ∘ stream + weight · inner + bias by least squares: first NoNorm's gain, then the weights.
    stream, is_token = outputs.maps[number], outputs.mask > 0
    inner, _ = layer.before_output(stream, key_mask(outputs.mask), False)
    inner = layer.output.LayerNorm(layer.output.dense(layer.intermediate(inner)) + inner)[is_token]
    stream, following = stream[is_token], outputs.maps[number + 1][is_token]
    inner_mean, stream_mean, following_mean = inner.mean(0), stream.mean(0), following.mean(0)
    inner, stream = (inner - inner_mean).double(), (stream - stream_mean).double()
    following = (following - following_mean).double()
    gram = inner.T @ inner
    gram += torch.eye(len(gram), dtype=gram.dtype) * gram.diagonal().mean() * 1e-3
    by_stream, by_following = torch.linalg.solve(gram, inner.T @ stream), torch.linalg.solve(gram, inner.T @ following)
    stream_residual, following_residual = stream - inner @ by_stream, following - inner @ by_following
    covariance, variance = (stream_residual * following_residual).sum(0), stream_residual.square().sum(0)
    gain = (covariance / variance.clamp_min(1e-9)).clamp(0.1, 2.0)
    weight = by_following - by_stream * gain
    bottleneck = layer.output.bottleneck
    bottleneck.LayerNorm.weight.copy_(gain.float())
    bottleneck.dense.weight.copy_((weight / gain).T.float())
    bottleneck.dense.bias.zero_()
    bottleneck.LayerNorm.bias.copy_(following_mean - gain.float() * stream_mean - weight.T.float() @ inner_mean)
