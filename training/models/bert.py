"""BERT's encoder (Devlin et al. 2018), with the parameter names of `transformers`."""

import torch
from torch import nn

from training.models.architecture import Architecture
from training.models.modules import Body, Encoder, Intermediate, Pooler, Residual, SelfAttention, positions


class Embeddings(nn.Module):
    """Word, position and segment embeddings, summed and normalized."""

    def __init__(self, config: Architecture):
        super().__init__()
        width = config.hidden_size
        self.word_embeddings = nn.Embedding(config.vocab_size, width, padding_idx=config.pad_token_id)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, width)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, width)
        self.LayerNorm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, input_ids: torch.Tensor, token_type_ids: torch.Tensor | None = None) -> torch.Tensor:
        """Ids `[batch, sequence]` → `[batch, sequence, hidden_size]`."""
        if token_type_ids is None:
            token_type_ids = torch.zeros_like(input_ids)
        summed = self.word_embeddings(input_ids) + self.token_type_embeddings(token_type_ids)
        return self.dropout(self.LayerNorm(summed + self.position_embeddings(positions(input_ids))))


class Attention(nn.Module):
    """Self-attention and its output projection."""

    def __init__(self, config: Architecture):
        super().__init__()
        width = config.hidden_size
        self.self = SelfAttention(config, width, width, width)
        self.output = _output(config, width)


class Layer(nn.Module):
    """Attention and a feed-forward network."""

    def __init__(self, config: Architecture):
        super().__init__()
        self.attention = Attention(config)
        self.intermediate = Intermediate(config, config.hidden_size)
        self.output = _output(config, config.intermediate_size)

    def forward(self, stream: torch.Tensor, mask: torch.Tensor, output_attentions: bool):
        """The next feature map, and the attention probabilities if requested."""
        context, probabilities = self.attention.self(stream, stream, stream, mask, output_attentions)
        inner = self.attention.output(context, stream)
        return self.output(self.intermediate(inner), inner), probabilities


def _output(config: Architecture, width: int) -> Residual:
    norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
    return Residual(width, norm, config.hidden_size, config.hidden_dropout_prob)


class Bert(Body):
    """The encoder; `pooler`: whether to add a pooler for heads that read the first token."""

    def __init__(self, config: Architecture, pooler: bool):
        super().__init__(config)
        self.embeddings = Embeddings(config)
        self.encoder = Encoder([Layer(config) for _ in range(config.num_hidden_layers)])
        self.pooler = Pooler(config) if pooler else None
