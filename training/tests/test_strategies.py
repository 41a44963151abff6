"""The transfer strategies: which parts are trained in which stage."""

import pytest
import torch

from training import strategies
from training.config import Loss, Transfer
from training.errors import TrainingError
from training.models import build as models
from training.steps import transfer
from training.steps.common import open_models, start_student
from training.tasks import open_task
from training.tests.conftest import tiny

WEIGHTS = Loss(feature_maps=1.0, statistics=0.1, attention=1.0, soft=1.0)


@pytest.mark.parametrize("strategy", ["auxiliary", "joint", "progressive", "parallel"])
@pytest.mark.parametrize("steps", [1, 7, 100])
def test_stages_cover_every_step(strategy, steps):
    stages = strategies.plan(strategy, Transfer(), WEIGHTS, steps, 6)
    assert sum(s.steps for s in stages) == steps
    seen = [strategies.stage_at(stages, i) for i in range(steps)]
    assert [s.name for s, _ in seen] == [s.name for s in stages for _ in range(s.steps)]
    with pytest.raises(IndexError):
        strategies.stage_at(stages, steps)


def test_progressive_trains_layer_by_layer():
    stages = strategies.plan("progressive", Transfer(share=0.5), WEIGHTS, 140, 6)
    assert [s.transfer for s in stages] == [(0,), (1,), (2,), (3,), (4,), (5,), (6,), ()]
    assert stages[3].rates == (0, 0, 0, 1, 0, 0, 0, 0)
    slow = strategies.plan("progressive", Transfer(share=0.5, lower_rate=0.1), WEIGHTS, 140, 6)
    assert slow[3].rates == (0.1, 0.1, 0.1, 1, 0, 0, 0, 0)


def test_parts_are_found_by_name():
    names = {
        "mobilebert.embeddings.word_embeddings.weight": 0,
        "mobilebert.encoder.layer.0.bottleneck.input.dense.weight": 1,
        "bert.encoder.layer.11.output.dense.bias": 12,
        "mobilebert.pooler.dense.weight": 25,
        "classifier.weight": 25,
    }
    assert {n: strategies.part_of(n, 24) for n in names} == names


def test_layers_are_matched_with_the_teachers():
    assert [strategies.teacher_part(p, 12, 6) for p in range(5)] == [0, None, 1, None, 2]
    assert [strategies.teacher_part(p, 3, 6) for p in range(4)] == [0, 2, 4, 6]
    with pytest.raises(ValueError, match="match"):
        strategies.teacher_part(1, 4, 6)


def test_frozen_layers_stay_bit_identical(world):
    shares = {"strategy": "progressive", "share": 1.0}
    config = tiny(
        "frozen",
        models={"teacher": "models:tiny"},
        loss={"feature_maps": 1.0, "statistics": 1.0, "attention": 1.0},
        transfer=shares,
        optim={"steps": 9, "weight_decay": 0.5},
    )
    student, teacher, folder = open_models(config, world)
    start_student(config, world, student, teacher, open_task(config, world, folder))
    before = student.state_dict()
    states = {}
    from training import loop

    original = loop.Loop._enter_stage

    def watch(self, stage, stage_step):
        states[stage.name] = {n: t.clone() for n, t in self.model.state_dict().items()}
        original(self, stage, stage_step)

    loop.Loop._enter_stage = watch
    try:
        transfer.run(config, world)
    finally:
        loop.Loop._enter_stage = original
    after = models.load(world.run("frozen") / "model", "sst2").state_dict()
    snapshots = [*states.values(), after]
    assert list(states) == ["layer 0", "layer 1", "layer 2"]
    for part, (start, end) in enumerate(zip(snapshots, snapshots[1:], strict=False)):
        changed = {strategies.part_of(n, 2) for n in start if not torch.equal(start[n], end[n])}
        assert changed == {part}
    assert all(torch.equal(before[n], t) for n, t in snapshots[0].items())


def test_stage_without_a_loss_is_rejected_before_training(world):
    # Layer 1 of the student has no counterpart in a teacher with half as many layers.
    config = tiny(
        "lossless",
        models={"teacher": "models:tiny"},
        student={"num_hidden_layers": 4},
        loss={"feature_maps": 1.0},
        transfer={"strategy": "progressive"},
        optim={"steps": 50},
    )
    with pytest.raises(TrainingError, match="stage 'layer 1' has no loss to minimize"):
        transfer.run(config, world)
    assert not (world.run("lossless") / "log.jsonl").exists()
