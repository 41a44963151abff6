"""The building blocks of BERT and MobileBERT, with the parameter names of `transformers`."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from training.errors import TrainingError
from training.models.architecture import Architecture

ACTIVATIONS = {
    "gelu": functional.gelu,
    "gelu_new": lambda x: functional.gelu(x, approximate="tanh"),
    "relu": functional.relu,
    "silu": functional.silu,
}


@dataclass
class Output:
    """The outputs of a model; fields that the head doesn't produce or that weren't requested are None.

    Hidden states are `[batch, sequence, width]`: the embedding's, then one per layer. Attention probabilities are
    `[batch, heads, sequence, sequence]`, one per layer.
    """

    last_hidden_state: torch.Tensor | None = None
    pooler_output: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None
    start_logits: torch.Tensor | None = None
    end_logits: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    prediction_logits: torch.Tensor | None = None
    seq_relationship_logits: torch.Tensor | None = None


class NoNorm(nn.Module):
    """MobileBERT's NoNorm: γ∘x + β."""

    def __init__(self, size: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.bias = nn.Parameter(torch.zeros(size))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scale and shift."""
        return x * self.weight + self.bias


def activation(config: Architecture):
    """The feed-forward network's activation."""
    try:
        return ACTIVATIONS[config.hidden_act]
    except KeyError:
        raise TrainingError(f"hidden_act '{config.hidden_act}' is not one of {', '.join(ACTIVATIONS)}") from None


def key_mask(attention_mask: torch.Tensor) -> torch.Tensor:
    """Return the boolean mask `[batch, 1, 1, sequence]` of the keys for an attention mask `[batch, sequence]`."""
    return attention_mask[:, None, None, :] > 0


class SelfAttention(nn.Module):
    """Multi-head attention whose query and key may have another input width than value; heads are concatenated."""

    def __init__(self, config: Architecture, width: int, query_width: int, value_width: int):
        super().__init__()
        if width % config.num_attention_heads:
            raise TrainingError(f"a width of {width} can't be divided into {config.num_attention_heads} heads")
        self.heads, self.dropout = config.num_attention_heads, config.attention_probs_dropout_prob
        self.query = nn.Linear(query_width, width)
        self.key = nn.Linear(query_width, width)
        self.value = nn.Linear(value_width, width)

    def forward(self, query, key, value, mask: torch.Tensor, output_attentions: bool):
        """Context `[batch, sequence, width]`, and the attention probabilities if requested; `mask` as in `key_mask`."""
        query, key, value = (
            linear(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for linear, x in ((self.query, query), (self.key, key), (self.value, value))
        )
        dropout = self.dropout if self.training else 0.0
        # On a CPU, the fused kernel's backward pass is slower than plain matrix products.
        if not output_attentions and (query.is_cuda or not torch.is_grad_enabled()):
            context = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=dropout)
            return context.transpose(1, 2).flatten(2), None
        scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
        probabilities = scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(-1)
        probabilities = functional.dropout(probabilities, dropout)
        return (probabilities @ value).transpose(1, 2).flatten(2), probabilities if output_attentions else None


class Intermediate(nn.Module):
    """`intermediate`: a linear layer and the activation."""

    def __init__(self, config: Architecture, width: int):
        super().__init__()
        self.dense = nn.Linear(width, config.intermediate_size)
        self.activation = activation(config)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Project and activate."""
        return self.activation(self.dense(x))


class Residual(nn.Module):
    """`output`: a linear layer, dropout, the residual, and normalization."""

    def __init__(self, width_in: int, norm: nn.Module, width_out: int, dropout: float = 0.0):
        super().__init__()
        self.dense = nn.Linear(width_in, width_out)
        self.LayerNorm = norm
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor, residual: torch.Tensor) -> torch.Tensor:
        """Project, add the residual, normalize."""
        return self.LayerNorm(self.dropout(self.dense(x)) + residual)


class Pooler(nn.Module):
    """A linear layer and tanh on the first token."""

    def __init__(self, config: Architecture):
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, stream: torch.Tensor) -> torch.Tensor:
        """`[batch, sequence, hidden]` → `[batch, hidden]`."""
        return torch.tanh(self.dense(stream[:, 0]))


class Encoder(nn.Module):
    """The stack of layers."""

    def __init__(self, layers: list[nn.Module]):
        super().__init__()
        self.layer = nn.ModuleList(layers)


class Body(nn.Module):
    """Embeddings, layers and pooler; subclasses add the modules `embeddings`, `encoder` and `pooler`."""

    def __init__(self, config: Architecture):
        super().__init__()
        self.config = config

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        output_hidden_states: bool = False,
        output_attentions: bool = False,
        depth: int | None = None,
    ) -> Output:
        """Run the first `depth` layers, or all if it is None; the pooler only runs at full depth."""
        if attention_mask is None:
            attention_mask = torch.ones_like(input_ids)
        mask = key_mask(attention_mask)
        stream = self.embeddings(input_ids=input_ids, token_type_ids=token_type_ids)
        maps, attentions = [stream], []
        for layer in self.encoder.layer[:depth]:
            stream, probabilities = layer(stream, mask, output_attentions)
            maps.append(stream)
            attentions.append(probabilities)
        full_depth = depth is None or depth >= len(self.encoder.layer)
        return Output(
            last_hidden_state=stream,
            pooler_output=self.pooler(stream) if full_depth and self.pooler is not None else None,
            hidden_states=tuple(maps) if output_hidden_states else None,
            attentions=tuple(attentions) if output_attentions else None,
        )


def positions(ids: torch.Tensor) -> torch.Tensor:
    """0, 1, 2, … along the sequence."""
    return torch.arange(ids.shape[1], device=ids.device)


@torch.no_grad()
def initialize(model: nn.Module, config: Architecture) -> None:
    """Initialize as BERT does: matrices from a normal distribution, biases 0, norms as the identity."""
    for module in model.modules():
        if isinstance(module, (nn.Linear, nn.Embedding)) and not module.weight.is_meta:
            module.weight.normal_(0.0, config.initializer_range)
            if isinstance(module, nn.Embedding):
                if module.padding_idx is not None:
                    module.weight[module.padding_idx].zero_()
            elif module.bias is not None:
                module.bias.zero_()
