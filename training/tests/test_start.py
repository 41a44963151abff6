"""Initializing a student: its embedding approximates the teacher's as well as its components can."""

import pytest
import torch

from training import tensors
from training.data import batches, tokens
from training.models import build as models
from training.models import start
from training.steps import finetune
from training.steps.common import open_models, start_student
from training.tasks import open_task
from training.tests.conftest import tiny


def pair(world, embedding_size):
    config = tiny("start", models={"teacher": "models:tiny"}, student={"embedding_size": embedding_size})
    student, teacher, folder = open_models(config, world)
    start_student(config, world, student, teacher, open_task(config, world, folder))
    return student, teacher.eval()


def test_axes_are_orthonormal_and_sorted():
    rows = torch.randn(400, 6, generator=torch.Generator().manual_seed(1)) * torch.tensor([9.0, 7, 5, 0.1, 0.1, 0.1])
    mean, axes = start.principal_axes(rows, 3)
    assert torch.allclose(axes.T @ axes, torch.eye(3), atol=1e-5)
    rest = (rows - mean) - (rows - mean) @ axes @ axes.T
    assert rest.square().mean() < 0.02


def test_axes_respect_the_weights():
    rows = torch.tensor([[9.0, 0, 0], [-9.0, 0, 0], [0, 1.0, 0], [0, -1.0, 0]])
    _, axes = start.principal_axes(rows, 1)
    assert axes[0].abs() > 0.99
    _, axes = start.principal_axes(rows, 1, torch.tensor([0.001, 0.001, 1, 1]))
    assert axes[1].abs() > 0.99


def test_tokens_are_counted_without_padding():
    examples = [tokens.Encoded([101, 7, 7, 102], [0] * 4), tokens.Encoded([101, 102], [0] * 2)]
    joined = batches.concatenate([batches.pad(examples, {}), batches.pad([tokens.Encoded([101], [0])], {})])
    assert joined.input_ids.shape == (3, 4)
    counts = batches.piece_counts([joined], 200)
    assert counts[[0, 7, 101, 102]].tolist() == [0, 2, 3, 2]


def test_more_components_approximate_better(world):
    ids = torch.tensor([[101, *range(1000, 1030), 102]])
    errors = []
    for size in (4, 16, 32):
        student, teacher = pair(world, size)
        approximation = models.encoder(student).embeddings(input_ids=ids)
        target = models.encoder(teacher).embeddings(input_ids=ids)
        errors.append((approximation - target).square().mean() / target.var())
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.1


def test_head_is_copied_from_the_teacher(world):
    student, teacher = pair(world, 16)
    assert torch.equal(student.classifier.weight, teacher.classifier.weight)
    assert torch.equal(student.mobilebert.pooler.dense.weight, teacher.bert.pooler.dense.weight)


@pytest.mark.parametrize("share", [0.5, 0.8])
def test_run_without_steps_gives_the_weighted_mean_of_two_models(world, share):
    weights = {}
    for seed in (1, 2):
        finetune.run(tiny(f"part-{seed}", seed=seed, models={"init": "models:tiny"}), world)
        weights[seed] = tensors.read(world.run(f"part-{seed}") / "model" / "model.safetensors")
    both = {"init": "run:part-1", "mean_with": "run:part-2", "mean_share": share}
    finetune.run(tiny(f"mean-{share}", models=both, optim={"steps": 0}), world)
    found = tensors.read(world.run(f"mean-{share}") / "model" / "model.safetensors")
    assert any(not torch.equal(weights[1][name], weights[2][name]) for name in found)
    for name, tensor in found.items():
        mean = (1 - share) * weights[1][name].float() + share * weights[2][name].float()
        assert torch.allclose(tensor.float(), mean, rtol=2e-3, atol=1e-6), name


def test_two_teachers_teach_the_mean_of_their_logits_and_the_maps_of_the_first(world):
    for seed in (3, 4):
        finetune.run(tiny(f"part-{seed}", seed=seed, models={"init": "models:tiny"}), world)
    config = tiny("pair", models={"init": "models:tiny", "teacher": "run:part-3", "second_teacher": "run:part-4"})
    _, both, folder = open_models(config, world)
    inputs = open_task(config, world, folder).batch_at(0).inputs()
    first, second = (models.load(world.model(f"run:part-{seed}"), config.task, whole=True) for seed in (3, 4))
    with torch.no_grad():
        shown = {"output_hidden_states": True}
        found, one, other = (model.eval()(**inputs, **shown) for model in (both, first, second))
    assert not torch.equal(one.logits, other.logits)
    assert torch.allclose(found.logits, (one.logits + other.logits) / 2)
    assert all(torch.equal(a, b) for a, b in zip(found.hidden_states, one.hidden_states, strict=True))
