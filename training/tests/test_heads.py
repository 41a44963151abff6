"""Copying heads from the teacher, fitting layers to it, and training layers on the teacher's maps."""

import json

import pytest
import torch

from training import distil, parallel, strategies
from training.errors import TrainingError
from training.models import build as models
from training.models import heads
from training.models.modules import key_mask
from training.steps.common import open_models, start_student, train
from training.tasks import open_task
from training.tests.conftest import tiny

LOSS = {"raw_maps": 1.0, "attention": 1.0, "soft": 1.0}


class Case:
    """A tiny student and teacher with a batch of their task."""

    def __init__(self, world, name: str, task: str = "squad", **transfer):
        teacher = "models:tiny-squad" if task == "squad" else "models:tiny"
        self.config = tiny(name, task=task, models={"teacher": teacher}, loss=LOSS, transfer=transfer)
        self.student, self.teacher, folder = open_models(self.config, world)
        self.teacher.eval()
        self.task = open_task(self.config, world, folder)
        self.chosen = start_student(self.config, world, self.student, self.teacher, self.task)
        self.batch = self.task.batch_at(0)
        self.outputs = heads.run_teacher(self.teacher, self.batch)

    def next_maps(self):
        """Return the output of every student layer for the teacher's map below it."""
        mask = key_mask(self.batch.attention_mask)
        layers = models.encoder(self.student).encoder.layer
        return [layer(self.outputs.maps[i], mask, True) for i, layer in enumerate(layers)]


def test_most_important_heads_are_chosen(world):
    case = Case(world, "matter")
    output = models.encoder(case.teacher).encoder.layer[1].attention.output.dense
    with torch.no_grad():
        output.weight.view(32, 4, 8)[:, [0, 2]] *= 50
    assert heads.choose(case.teacher, case.outputs, 2)[1] == [0, 2]
    assert [len(numbers) for numbers in heads.choose(case.teacher, case.outputs, 3)] == [3, 3]


@torch.no_grad()
def test_copied_heads_attend_like_the_teacher(world):
    case = Case(world, "attend", heads="chosen")
    is_token = case.batch.attention_mask > 0
    for number, (_, given) in enumerate(case.next_maps()):
        wanted = case.outputs.attentions[number][:, case.chosen[number]]
        assert (given - wanted).transpose(1, 2)[is_token].abs().max() < 0.02


@torch.no_grad()
def test_fitted_layers_approximate_the_teacher(world):
    def errors(case):
        is_token = case.batch.attention_mask > 0
        return [
            (
                (given - case.outputs.maps[i + 1])[is_token].square().mean() / case.outputs.maps[i + 1][is_token].var()
            ).item()
            for i, (given, _) in enumerate(case.next_maps())
        ]

    plain, fitted = errors(Case(world, "plain")), errors(Case(world, "fitted", heads="chosen"))
    assert all(good < 0.1 and good < bad / 3 for good, bad in zip(fitted, plain, strict=True)), (fitted, plain)


@pytest.mark.parametrize("task", ["squad", "sst2"])
def test_forced_layers_are_independent(world, task):
    case = Case(world, f"forced-{task}", task, heads="chosen", strategy="parallel")
    stage = strategies.plan("parallel", case.config.transfer, case.config.loss, 10, 2)[0]
    assert stage.forced
    objective = distil.Distillation(case.config, case.student, case.teacher, case.task.terms, case.chosen)
    objective(case.batch, stage)[0].backward()
    lower = models.encoder(case.student).encoder.layer[0].attention.self.value.weight
    before = lower.grad.clone()
    # The gradient of the lower layer doesn't depend on the upper one: none flows through it.
    case.student.zero_grad()
    with torch.no_grad():
        models.encoder(case.student).encoder.layer[1].output.bottleneck.dense.weight.mul_(3)
    objective(case.batch, stage)[0].backward()
    assert torch.equal(before, lower.grad)


def test_students_that_cannot_copy_heads_are_rejected(world):
    with pytest.raises(TrainingError, match="chosen"):
        sections = {"models": {"teacher": "models:tiny"}, "transfer": {"heads": "chosen"}}
        config = tiny("refused", student={"num_hidden_layers": 1}, **sections)
        student, teacher, folder = open_models(config, world)
        start_student(config, world, student, teacher, open_task(config, world, folder))


def test_later_run_keeps_the_heads_of_the_first(world):
    first = tiny(
        "first", task="squad", models={"teacher": "models:tiny-squad"}, loss=LOSS, transfer={"heads": "chosen"}
    )
    train(first, world, "auxiliary")
    record = world.run("first") / "model" / heads.RECORD
    chosen = json.loads(record.read_text())
    # Simulates a choice of other heads; the run must keep those that the student has learned.
    other = [[head for head in range(4) if head not in row][:2] for row in chosen]
    record.write_text(json.dumps(other))
    for name, transfer in (("second", {"heads": "chosen"}), ("third", {})):
        later = tiny(
            name,
            task="squad",
            seed=9,
            models={"init": "run:first", "teacher": "models:tiny-squad"},
            loss=LOSS,
            transfer=transfer,
        )
        student, teacher, folder = open_models(later, world)
        task = open_task(later, world, folder)
        assert start_student(later, world, student, teacher, task) == other
        assert json.loads((world.run(name) / "model" / heads.RECORD).read_text()) == other


def test_student_with_unknown_heads_is_rejected(world):
    train(tiny("plain-start", task="squad", models={"teacher": "models:tiny-squad"}, loss=LOSS), world, "auxiliary")
    later = {"models": {"init": "run:plain-start", "teacher": "models:tiny-squad"}, "transfer": {"heads": "chosen"}}
    with pytest.raises(TrainingError, match="isn't known which"):
        train(tiny("unknown", task="squad", loss=LOSS, **later), world, "plain")


def test_student_of_another_family_is_rejected(world):
    later = {"models": {"init": "models:tiny-squad", "teacher": "models:tiny-squad"}, "transfer": {"heads": "chosen"}}
    with pytest.raises(TrainingError, match="MobileBERT student"):
        train(tiny("family", task="squad", loss=LOSS, **later), world, "plain")


def test_only_the_first_process_records_the_heads(world, monkeypatch):
    monkeypatch.setattr(parallel, "first", lambda: False)
    case = Case(world, "not-first", heads="chosen")
    assert case.chosen
    assert not (world.run("not-first") / "model" / heads.RECORD).exists()
