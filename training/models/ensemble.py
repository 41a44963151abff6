"""Two teachers as one: the mean of their logits, with the first one's feature maps and attention."""

import dataclasses

import torch
from torch import nn

from training.models.modules import Output
from training.models.networks import Network

LOGITS = ("start_logits", "end_logits", "logits")


class Ensemble(nn.Module):
    """A teacher whose soft labels are those of two networks with the same head."""

    def __init__(self, first: Network, second: Network):
        super().__init__()
        self.first, self.second = first, second

    @property
    def body(self) -> nn.Module:
        """The first network's encoder, whose maps a student can learn."""
        return self.first.body

    def forward(self, input_ids: torch.Tensor, token_type_ids=None, attention_mask=None, **requested) -> Output:
        """Return the first network's output with the mean of both networks' logits."""
        inputs = {"token_type_ids": token_type_ids, "attention_mask": attention_mask}
        first, second = self.first(input_ids, **inputs, **requested), self.second(input_ids, **inputs)
        pairs = {name: (getattr(first, name), getattr(second, name)) for name in LOGITS}
        means = {name: (one + other) / 2 for name, (one, other) in pairs.items() if one is not None}
        return dataclasses.replace(first, **means)
