"""MobileBERT's encoder (Sun et al. 2020) in all variants of its `config.json`, and IB-BERT, the paper's teacher.

Parameters are named as in `transformers`, which cannot build IB-BERT (bottlenecks, but query and key read the
inter-block stream) because its query and key always read the bottleneck's width.
"""

import torch
from torch import nn
from torch.nn import functional

from training.errors import TrainingError
from training.models.architecture import Architecture
from training.models.modules import Body, Encoder, Intermediate, NoNorm, Pooler, Residual, SelfAttention, positions


def norm(config: Architecture, width: int, eps: float | None = None) -> nn.Module:
    """The configured normalization. Without `eps`, LayerNorm uses torch's default, as in `transformers`."""
    if config.normalization_type == "no_norm":
        return NoNorm(width)
    if config.normalization_type != "layer_norm":
        raise TrainingError(f"normalization_type must be no_norm or layer_norm, not '{config.normalization_type}'")
    return nn.LayerNorm(width) if eps is None else nn.LayerNorm(width, eps=eps)


class Embeddings(nn.Module):
    """Word embeddings, optionally of trigrams, projected to the stream's width, plus positions and segments."""

    def __init__(self, config: Architecture):
        super().__init__()
        width, size = config.hidden_size, config.embedding_size
        self.trigram = config.trigram_input
        self.transforms = config.trigram_input or size != width
        self.word_embeddings = nn.Embedding(config.vocab_size, size, padding_idx=config.pad_token_id)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, width)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, width)
        self.embedding_transformation = nn.Linear(size * (3 if self.trigram else 1), width)
        self.LayerNorm = norm(config, width)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, input_ids: torch.Tensor, token_type_ids: torch.Tensor | None = None) -> torch.Tensor:
        """Ids `[batch, sequence]` → `[batch, sequence, hidden_size]`."""
        if token_type_ids is None:
            token_type_ids = torch.zeros_like(input_ids)
        words = self.word_embeddings(input_ids)
        if self.trigram:
            following = functional.pad(words[:, 1:], (0, 0, 0, 1))
            before = functional.pad(words[:, :-1], (0, 0, 1, 0))
            words = torch.cat([following, words, before], dim=2)
        if self.transforms:
            words = self.embedding_transformation(words)
        summed = words + self.position_embeddings(positions(input_ids)) + self.token_type_embeddings(token_type_ids)
        return self.dropout(self.LayerNorm(summed))


class BottleneckLayer(nn.Module):
    """Projection from the stream to the width inside a layer."""

    def __init__(self, config: Architecture):
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.intra_bottleneck_size)
        self.LayerNorm = norm(config, config.intra_bottleneck_size, config.layer_norm_eps)

    def forward(self, stream: torch.Tensor) -> torch.Tensor:
        """`[…, hidden]` → `[…, bottleneck]`."""
        return self.LayerNorm(self.dense(stream))


class Bottleneck(nn.Module):
    """Computes the inputs of query, key and value and the residual inside the layer."""

    def __init__(self, config: Architecture):
        super().__init__()
        self.use_for_all = config.use_bottleneck_attention
        self.input = BottleneckLayer(config)
        self.attention = BottleneckLayer(config) if config.key_query_shared_bottleneck else None

    def forward(self, stream: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the inputs of query, key and value, and the residual."""
        inner = self.input(stream)
        if self.use_for_all:
            return inner, inner, inner, inner
        query_and_key = stream if self.attention is None else self.attention(stream)
        return query_and_key, query_and_key, stream, inner


class Attention(nn.Module):
    """Self-attention and its output projection."""

    def __init__(self, config: Architecture):
        super().__init__()
        inner, stream = config.true_hidden_size, config.hidden_size
        query_width = stream if config.reads_stream else inner
        self.self = SelfAttention(config, inner, query_width, inner if config.use_bottleneck_attention else stream)
        self.output = _inner_output(config, inner, config.layer_norm_eps)

    def forward(self, query, key, value, residual, mask: torch.Tensor, output_attentions: bool):
        """The layer's inner state after attention, and the attention probabilities if requested."""
        context, probabilities = self.self(query, key, value, mask, output_attentions)
        return self.output(context, residual), probabilities


class FeedForward(nn.Module):
    """A feed-forward network before the last one."""

    def __init__(self, config: Architecture):
        super().__init__()
        inner = config.true_hidden_size
        self.intermediate = Intermediate(config, inner)
        self.output = Residual(config.intermediate_size, norm(config, inner, config.layer_norm_eps), inner)

    def forward(self, inner: torch.Tensor) -> torch.Tensor:
        """Apply the network and add the residual."""
        return self.output(self.intermediate(inner), inner)


class LastFeedForwardOutput(Residual):
    """The output of the last feed-forward network, and the projection back to the stream."""

    def __init__(self, config: Architecture):
        inner, stream = config.true_hidden_size, config.hidden_size
        dropout = 0.0 if config.use_bottleneck else config.hidden_dropout_prob
        super().__init__(config.intermediate_size, norm(config, inner), inner, dropout)
        self.bottleneck = None
        if config.use_bottleneck:
            back = norm(config, stream, config.layer_norm_eps)
            self.bottleneck = Residual(inner, back, stream, config.hidden_dropout_prob)

    def forward(self, activated: torch.Tensor, inner: torch.Tensor, stream: torch.Tensor) -> torch.Tensor:
        """`activated` is the output of `intermediate`; the residuals are the inner state and the layer's input."""
        inner = super().forward(activated, inner)
        return inner if self.bottleneck is None else self.bottleneck(inner, stream)


class Layer(nn.Module):
    """Bottleneck, attention, feed-forward networks, and the projection back to the stream."""

    def __init__(self, config: Architecture):
        super().__init__()
        self.attention = Attention(config)
        self.intermediate = Intermediate(config, config.true_hidden_size)
        self.output = LastFeedForwardOutput(config)
        self.bottleneck = Bottleneck(config) if config.use_bottleneck else None
        self.ffn = nn.ModuleList(FeedForward(config) for _ in range(config.num_feedforward_networks - 1))

    def before_output(self, stream: torch.Tensor, mask: torch.Tensor, output_attentions: bool):
        """The inner state before the last feed-forward network, and the attention probabilities if requested."""
        inputs = (stream,) * 4 if self.bottleneck is None else self.bottleneck(stream)
        inner, probabilities = self.attention(*inputs, mask, output_attentions)
        for network in self.ffn:
            inner = network(inner)
        return inner, probabilities

    def forward(self, stream: torch.Tensor, mask: torch.Tensor, output_attentions: bool):
        """The next feature map, and the attention probabilities if requested."""
        inner, probabilities = self.before_output(stream, mask, output_attentions)
        return self.output(self.intermediate(inner), inner, stream), probabilities


def _inner_output(config: Architecture, width: int, eps: float) -> Residual:
    dropout = 0.0 if config.use_bottleneck else config.hidden_dropout_prob
    return Residual(width, norm(config, width, eps), width, dropout)


class MobileBert(Body):
    """The encoder; `pooler`: whether to add a pooler for heads that read the first token."""

    def __init__(self, config: Architecture, pooler: bool):
        super().__init__(config)
        self.embeddings = Embeddings(config)
        self.encoder = Encoder([Layer(config) for _ in range(config.num_hidden_layers)])
        self.pooler = (Pooler(config) if config.classifier_activation else FirstTokenPooler()) if pooler else None


class FirstTokenPooler(nn.Module):
    """A pooler that returns the first token unchanged."""

    def forward(self, stream: torch.Tensor) -> torch.Tensor:
        """`[batch, sequence, hidden]` → `[batch, hidden]`."""
        return stream[:, 0]
