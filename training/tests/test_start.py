"""A student's start: its embedding already says what the teacher's says, as well as its components can."""

import torch

from training.models import build as models
from training.models import start
from training.steps.common import open_models
from training.tests.conftest import tiny


def pair(world, embedding_size):
    config = tiny("start", models={"teacher": "models:tiny"}, student={"embedding_size": embedding_size})
    student, teacher, _ = open_models(config, world)
    return student, teacher.eval()


def test_axes_are_orthonormal_and_leading():
    rows = torch.randn(400, 6, generator=torch.Generator().manual_seed(1)) * torch.tensor([9.0, 7, 5, 0.1, 0.1, 0.1])
    mean, axes = start.principal_axes(rows, 3)
    assert torch.allclose(axes.T @ axes, torch.eye(3), atol=1e-5)
    rest = (rows - mean) - (rows - mean) @ axes @ axes.T
    assert rest.square().mean() < 0.02


def test_more_components_say_more(world):
    ids = torch.tensor([[101, *range(1000, 1030), 102]])
    errors = []
    for size in (4, 16, 32):
        student, teacher = pair(world, size)
        given = models.encoder(student).embeddings(input_ids=ids)
        wanted = models.encoder(teacher).embeddings(input_ids=ids)
        errors.append((given - wanted).square().mean() / wanted.var())
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.1


def test_head_is_the_teachers(world):
    student, teacher = pair(world, 16)
    assert torch.equal(student.classifier.weight, teacher.classifier.weight)
    assert torch.equal(student.mobilebert.pooler.dense.weight, teacher.bert.pooler.dense.weight)
