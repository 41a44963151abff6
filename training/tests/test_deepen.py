"""A deepened model computes the same as before, and all of it is trainable."""

import pytest
import torch

from training.errors import TrainingError
from training.models import build
from training.models.deepen import deepen
from training.steps import finetune
from training.tests.conftest import tiny

IDS = torch.tensor([[101, *range(1000, 1020), 102]])


def student(**student):
    torch.manual_seed(3)
    model = build.build(build.student_config(tiny("deep", student=student).student, "squad"), "squad")
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)  # including norms, which are initialized as the identity
    return model


def test_copies_preserve_outputs_and_layer_order():
    model = student(num_hidden_layers=3)
    deeper = deepen(model, "squad", [1, 3])
    assert deeper.config.num_hidden_layers == 5
    assert model.config.num_hidden_layers == 3
    with torch.no_grad():
        before, after = model(IDS, output_hidden_states=True), deeper(IDS, output_hidden_states=True)
    for layer, original in enumerate([0, 1, 1, 2, 3, 3]):
        assert torch.equal(after.hidden_states[layer], before.hidden_states[original]), layer
    assert torch.equal(after.start_logits, before.start_logits)


def test_copy_learns_from_the_first_step():
    deeper = deepen(student(), "squad", [2])
    deeper(IDS).start_logits.square().sum().backward()
    added = deeper.body.encoder.layer[2]
    assert added.output.bottleneck.dense.weight.grad.abs().max() > 0


@pytest.mark.parametrize("after", [[0], [3], [1, 1]])
def test_invalid_or_repeated_layers_are_rejected(after):
    with pytest.raises(TrainingError, match="distinct numbers from 1 to 2"):
        deepen(student(), "squad", after)


def test_unsupported_architectures_are_rejected(world):
    with pytest.raises(TrainingError, match="only a MobileBERT with bottlenecks and NoNorm"):
        finetune.run(tiny("bert", models={"init": "models:tiny", "deepen_after": [1]}, optim={"steps": 0}), world)
    with pytest.raises(TrainingError, match="only a MobileBERT with bottlenecks and NoNorm"):
        deepen(student(normalization_type="layer_norm"), "squad", [1])


def test_run_without_steps_gives_the_deepened_model(world):
    finetune.run(tiny("shallow", models={"teacher": "models:tiny"}), world)
    finetune.run(tiny("deep", models={"init": "run:shallow", "deepen_after": [2]}, optim={"steps": 0}), world)
    shallow, deep = (build.load(world.run(name) / "model", "sst2", whole=True) for name in ("shallow", "deep"))
    assert deep.config.num_hidden_layers == shallow.config.num_hidden_layers + 1
    with torch.no_grad():
        assert torch.equal(deep(IDS).logits, shallow(IDS).logits)
