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
from training.models.modules import visible
from training.models.start import principal_axes

# Saved next to a student's weights, since choosing other heads later would undo what it has learned.
RECORD = "heads.json"


@dataclass
class Seen:
    """A teacher's outputs on sample batches: feature maps `[batch, sequence, width]` and attention, by layer."""

    maps: tuple[torch.Tensor, ...]
    attentions: tuple[torch.Tensor, ...]
    mask: torch.Tensor  # [batch, sequence], 1 for tokens, 0 for padding


@torch.no_grad()
def look(teacher: torch.nn.Module, batch: Batch) -> Seen:
    """Run the teacher on a batch."""
    out = encoder(teacher)(**batch.inputs(), output_hidden_states=True, output_attentions=True)
    return Seen(out.hidden_states, out.attentions, batch.attention_mask)


@torch.no_grad()
def choose(teacher: torch.nn.Module, seen: Seen, count: int) -> list[list[int]]:
    """For each teacher layer, the indices of the `count` heads whose part of the output varies most, ascending."""
    chosen = []
    for number, layer in enumerate(encoder(teacher).encoder.layer):
        parts = _contexts(layer, seen, number)
        weight = layer.attention.output.dense.weight
        width = parts[0].shape[1]
        varies = [
            (part @ weight[:, i * width : (i + 1) * width].T).var(0, unbiased=False).sum().item()
            for i, part in enumerate(parts)
        ]
        chosen.append(sorted(sorted(range(len(parts)), key=lambda i: -varies[i])[:count]))
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


def fits(student: torch.nn.Module, teacher: torch.nn.Module) -> bool:
    """Return whether heads can be copied: same number of layers and widths, and a shared bottleneck."""
    own, other = encoder(student).config, encoder(teacher).config
    return (
        (own.model_type, other.model_type) == ("mobilebert", "bert")
        and own.num_hidden_layers == other.num_hidden_layers
        and own.hidden_size == other.hidden_size
        and own.intra_bottleneck_size // own.num_attention_heads == other.hidden_size // other.num_attention_heads
        and own.normalization_type == "no_norm"
        and own.use_bottleneck
        and own.key_query_shared_bottleneck
        and not own.use_bottleneck_attention
    )


@torch.no_grad()
def start_layers(student: torch.nn.Module, teacher: torch.nn.Module, seen: Seen, chosen: list[list[int]]) -> None:
    """Initialize all layers of the student except the feed-forward networks, whose weights stay close to zero."""
    layers = zip(encoder(student).encoder.layer, encoder(teacher).encoder.layer, strict=True)
    for number, (layer, source) in enumerate(layers):
        _copy_heads(layer, source, seen, number, chosen[number])
        _fit_output(layer, seen, number)


def _contexts(layer, seen: Seen, number: int) -> list[torch.Tensor]:
    # Each head's attention-weighted values, [tokens, head width].
    stream, probabilities = seen.maps[number], seen.attentions[number]
    value = layer.attention.self.value(stream)
    value = value.view(*stream.shape[:2], probabilities.shape[1], -1).transpose(1, 2)
    context = probabilities @ value
    standing = seen.mask > 0
    return [context[:, i][standing] for i in range(context.shape[1])]


def _copy_heads(layer, source, seen: Seen, number: int, heads: list[int]) -> None:
    stream = seen.maps[number][seen.mask > 0]
    mean = stream.mean(0)
    given, own = source.attention.self, layer.attention.self
    width = own.query.weight.shape[0] // len(heads)
    rows = torch.cat([torch.arange(width * i, width * (i + 1)) for i in heads])
    asked = torch.cat([given.query.weight[rows], given.key.weight[rows]])
    _, axes = principal_axes((stream - mean) @ asked.T, own.query.weight.shape[1])
    shared = layer.bottleneck.attention.dense
    shared.weight.copy_(axes.T @ asked)
    shared.bias.copy_(-shared.weight @ mean)
    for linear, other, part in ((own.query, given.query, axes[: len(rows)]), (own.key, given.key, axes[len(rows) :])):
        linear.weight.copy_(part)
        linear.bias.copy_(other.bias[rows] + other.weight[rows] @ mean)
    own.value.weight.copy_(given.value.weight[rows])
    own.value.bias.copy_(given.value.bias[rows])
    into = layer.bottleneck.input.dense
    _, axes = principal_axes(stream, into.weight.shape[0])
    into.weight.copy_(axes.T)
    into.bias.copy_(-axes.T @ mean)
    output = layer.attention.output.dense
    output.weight.copy_(axes.T @ source.attention.output.dense.weight[:, rows])
    contexts = _contexts(source, seen, number)
    output.bias.copy_(-output.weight @ torch.cat([contexts[i].mean(0) for i in heads]))


def _fit_output(layer, seen: Seen, number: int) -> None:
    # Fits next ≈ gain ∘ stream + weight · inner + bias by least squares: first NoNorm's gain, then the weights.
    stream, standing = seen.maps[number], seen.mask > 0
    inner, _ = layer.before_output(stream, visible(seen.mask), False)
    inner = layer.output.LayerNorm(layer.output.dense(layer.intermediate(inner)) + inner)[standing]
    stream, following = stream[standing], seen.maps[number + 1][standing]
    means = inner.mean(0), stream.mean(0), following.mean(0)
    inner, stream, following = (
        (part - mean).double() for part, mean in zip((inner, stream, following), means, strict=True)
    )
    gram = inner.T @ inner
    gram += torch.eye(len(gram), dtype=gram.dtype) * gram.diagonal().mean() * 1e-3
    by_stream, by_following = torch.linalg.solve(gram, inner.T @ stream), torch.linalg.solve(gram, inner.T @ following)
    left, right = stream - inner @ by_stream, following - inner @ by_following
    gain = ((left * right).sum(0) / left.square().sum(0).clamp_min(1e-9)).clamp(0.1, 2.0)
    weight = by_following - by_stream * gain
    bottleneck = layer.output.bottleneck
    bottleneck.LayerNorm.weight.copy_(gain.float())
    bottleneck.dense.weight.copy_((weight / gain).T.float())
    bottleneck.dense.bias.zero_()
    bottleneck.LayerNorm.bias.copy_(means[2] - gain.float() * means[1] - weight.T.float() @ means[0])
