"""The project's BERT and MobileBERT match those of `transformers`, forward and backward."""

import pytest
import torch
import transformers

from training.models.architecture import Architecture
from training.models.networks import ForPreTraining, ForQuestionAnswering, ForSequenceClassification

SIZES = {
    "vocab_size": 90,
    "hidden_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 40,
    "max_position_embeddings": 32,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
SMALL = {"embedding_size": 24, "intra_bottleneck_size": 32}
VARIANTS = {
    "bert": ("bert", {}),
    "bert-relu": ("bert", {"hidden_act": "relu"}),
    "mobilebert": ("mobilebert", SMALL),
    "layer-norm": ("mobilebert", SMALL | {"normalization_type": "layer_norm", "hidden_act": "gelu"}),
    "tiny": (
        "mobilebert",
        SMALL | {"use_bottleneck_attention": True, "key_query_shared_bottleneck": False, "num_feedforward_networks": 2},
    ),
    "no-trigram": ("mobilebert", SMALL | {"trigram_input": False, "num_feedforward_networks": 1}),
    "no-bottleneck": ("mobilebert", SMALL | {"use_bottleneck": False, "normalization_type": "layer_norm"}),
    "no-activation": ("mobilebert", SMALL | {"classifier_activation": False}),
    "ib-bert": (
        "mobilebert",
        {"embedding_size": 24, "intra_bottleneck_size": 64, "num_feedforward_networks": 1}
        | {"normalization_type": "layer_norm", "hidden_act": "gelu", "key_query_shared_bottleneck": False},
    ),
}
HEADS = [ForQuestionAnswering, ForSequenceClassification, ForPreTraining]
NAMES = ("start_logits", "end_logits", "logits", "prediction_logits", "seq_relationship_logits")


def reference(config: Architecture, head: type) -> torch.nn.Module:
    """The same network in `transformers`, with IB-BERT's query and key resized to their input width."""
    network = getattr(transformers, ("Bert" if config.model_type == "bert" else "MobileBert") + head.__name__)
    settings = network.config_class(**config.to_json())
    settings._attn_implementation = "eager"
    model = network(settings)
    if config.reads_stream:
        for layer in model.base_model.encoder.layer:
            for name in ("query", "key"):
                setattr(layer.attention.self, name, torch.nn.Linear(config.hidden_size, config.true_hidden_size))
    return model.double()


def pair(variant: str, head: type) -> tuple[torch.nn.Module, torch.nn.Module]:
    """Both networks, in float64, with the same random weights, including norms."""
    family, settings = VARIANTS[variant]
    config = Architecture(family, **SIZES | settings)
    torch.manual_seed(4)
    wanted = reference(config, head)
    with torch.no_grad():
        for parameter in wanted.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    model = head(config).double()
    model.load_state_dict(wanted.state_dict())
    return model, wanted


def batch() -> dict[str, torch.Tensor]:
    """Two texts, one of them shorter."""
    random = torch.Generator().manual_seed(3)
    mask = torch.ones(2, 11, dtype=torch.long)
    mask[1, 7:] = 0
    return {
        "input_ids": torch.randint(1, 90, (2, 11), generator=random),
        "token_type_ids": torch.tensor([[0] * 5 + [1] * 6] * 2),
        "attention_mask": mask,
    }


def close(given: torch.Tensor, wanted: torch.Tensor) -> bool:
    return (given - wanted).abs().max() <= 1e-10 * wanted.square().mean().sqrt().clamp_min(1.0)


@pytest.mark.parametrize("head", HEADS, ids=lambda head: head.__name__)
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("shown", [False, True], ids=["logits", "everything"])
def test_outputs_and_gradients_match_transformers(variant, head, shown):
    model, wanted = pair(variant, head)
    assert {n: p.shape for n, p in model.named_parameters()} == {n: p.shape for n, p in wanted.named_parameters()}
    asked = {"output_hidden_states": shown, "output_attentions": shown}
    given, expected = model(**batch(), **asked), wanted(**batch(), **asked)
    is_token = batch()["attention_mask"] > 0
    outputs, compared = [], 0
    for name in NAMES:
        if (right := getattr(expected, name, None)) is None:
            assert getattr(given, name) is None
            continue
        found = getattr(given, name)
        # Outputs at padded positions are ignored.
        pairs = (found[is_token], right[is_token]) if right.shape[:2] == is_token.shape else (found, right)
        assert close(*pairs), name
        outputs.append(pairs)
        compared += 1
    assert compared
    if shown:
        for maps in ("hidden_states", "attentions"):
            found, right = getattr(given, maps), getattr(expected, maps)
            assert len(found) == len(right) == (3 if maps == "hidden_states" else 2)
            for one, other in zip(found, right, strict=True):
                axis = one if maps == "hidden_states" else one.transpose(1, 2)
                assert close(axis[is_token], (other if maps == "hidden_states" else other.transpose(1, 2))[is_token])
    for place in (0, 1):
        factors = torch.Generator().manual_seed(8)
        sum(
            (pairs[place] * torch.randn(pairs[place].shape, generator=factors, dtype=torch.float64)).sum()
            for pairs in outputs
        ).backward()
    gradients = dict(wanted.named_parameters())
    for name, parameter in model.named_parameters():
        right = gradients[name].grad
        assert (parameter.grad is None) == (right is None), name
        assert right is None or close(parameter.grad, right), name


def test_shallow_pass_returns_only_the_first_maps():
    model, _ = pair("mobilebert", ForQuestionAnswering)
    whole = model.body(**batch(), output_hidden_states=True)
    for depth in range(3):
        part = model.body(**batch(), output_hidden_states=True, depth=depth)
        assert len(part.hidden_states) == depth + 1
        assert all(torch.equal(a, b) for a, b in zip(part.hidden_states, whole.hidden_states, strict=False))


@pytest.mark.parametrize("variant", ["bert", "mobilebert", "ib-bert"])
def test_initialization_matches_transformers(variant):
    family, settings = VARIANTS[variant]
    config = Architecture(family, **SIZES | settings)
    state = ForSequenceClassification(config).state_dict()
    for name, wanted in reference(config, ForSequenceClassification).state_dict().items():
        if variant == "ib-bert" and (".query." in name or ".key." in name):
            continue  # not initialized by `transformers`
        if wanted.std() > 1e-3:
            assert abs(state[name].std() / wanted.std() - 1) < (0.7 if wanted.numel() < 200 else 0.2), name
        else:
            assert torch.equal(state[name], wanted.float()), name


def test_directories_are_interchangeable_with_transformers(tmp_path):
    from training.models import build
    from training.models.save import save_weights

    model, wanted = pair("mobilebert", ForSequenceClassification)
    save_weights(model.float(), tmp_path)
    read = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert type(read) is type(wanted)
    wanted.float().save_pretrained(tmp_path / "theirs")
    ours = build.load(tmp_path / "theirs", "sst2", whole=True)
    for name, tensor in wanted.state_dict().items():
        assert torch.equal(read.state_dict()[name], tensor), name
        assert torch.equal(ours.state_dict()[name], tensor), name
