"""Models from `transformers` (and IB-BERT, which it can't build), filled by the generator."""

import json

import generator
import torch
import transformers
from torch import nn


def build(architecture: str, settings: dict) -> nn.Module:
    """An f32 model of class `architecture` in evaluation mode, with the weights that the class initializes."""
    model_class = getattr(transformers, architecture)
    config = model_class.config_class(**settings, architectures=[architecture])
    config._attn_implementation = "eager"
    model = model_class(config)
    if is_ib_bert(config):
        widen_query_and_key(model)
    return model.eval()


def is_ib_bert(config) -> bool:
    """Return whether query and key read a hidden state that is wider than the attention."""
    return (
        config.model_type == "mobilebert"
        and config.use_bottleneck
        and not config.key_query_shared_bottleneck
        and not config.use_bottleneck_attention
    )


def widen_query_and_key(model: nn.Module) -> None:
    """Gives query and key the width of their input: `transformers` sizes them as if they read a bottleneck."""
    config = model.config
    for layer in model.base_model.encoder.layer:
        for name in ("query", "key"):
            setattr(layer.attention.self, name, nn.Linear(config.hidden_size, config.true_hidden_size))


def fill(model: nn.Module, seed: int) -> list[tuple[str, list[int]]]:
    """Fills every parameter, tied ones once, by the name that `save_pretrained` keeps; returns names and shapes."""
    named = [(name, parameter) for name, parameter in model.named_parameters()]
    with torch.no_grad():
        for name, parameter in named:
            parameter.copy_(torch.from_numpy(generator.tensor(seed, name, tuple(parameter.shape))))
    return [(name, list(parameter.shape)) for name, parameter in named]


def config_json(model: nn.Module) -> dict:
    """The contents of `config.json` as `save_pretrained` writes it."""
    return json.loads(model.config.to_json_string(use_diff=True))


@torch.no_grad()
def outputs(model: nn.Module, inputs: dict, hidden_states: bool, attentions: bool) -> dict[str, torch.Tensor]:
    """Every output, under the name that `mobilebert run` gives it."""
    arguments = {name: torch.tensor(values) for name, values in inputs.items()}
    if model.config.model_type == "distilbert":
        arguments.pop("token_type_ids", None)
    result = model(**arguments, output_hidden_states=hidden_states, output_attentions=attentions)
    named = {}
    for name, value in result.items():
        if isinstance(value, tuple):
            named |= {f"{name}.{index}": part for index, part in enumerate(value)}
        elif value is not None:
            named[name] = value
    return named
