"""IB-BERT, the paper's teacher: wide inside, narrow between layers; query, key and value read the narrow stream.

`transformers`' MobileBERT covers all of it but the inputs of query and key, which it builds for the bottleneck's width.
"""

import torch
from torch import nn
from transformers import MobileBertConfig

from training.config import Student


def large() -> Student:
    """IB-BERT-LARGE as the paper has it."""
    return Student(
        family="ib-bert",
        num_hidden_layers=24,
        hidden_size=512,
        embedding_size=128,
        intra_bottleneck_size=1024,
        num_attention_heads=4,
        intermediate_size=4096,
        num_feedforward_networks=1,
        normalization_type="layer_norm",
        hidden_act="gelu",
        key_query_shared_bottleneck=False,
    )


def reads_stream(config) -> bool:
    """Whether query and key read the inter-block stream, which is what sets IB-BERT apart."""
    return (
        config.model_type == "mobilebert"
        and config.use_bottleneck
        and not config.use_bottleneck_attention
        and not config.key_query_shared_bottleneck
    )


@torch.no_grad()
def widen_attention(model: nn.Module, config: MobileBertConfig) -> None:
    """Give query and key of every layer the width of the stream, with fresh weights."""
    for layer in getattr(model, model.base_model_prefix, model).encoder.layer:
        attention = layer.attention.self
        for name in ("query", "key"):
            linear = nn.Linear(config.hidden_size, attention.all_head_size)
            linear.weight.normal_(0.0, config.initializer_range)
            linear.bias.zero_()
            setattr(attention, name, linear)
