"""The committed configurations, the learning rate schedule, and queues."""

from pathlib import Path

import pytest

from training import config, schedule
from training.config import Optim
from training.errors import TrainingError
from training.steps import compare, queue

FOLDER = Path(__file__).resolve().parents[1] / "configs"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda p: p.stem)
def test_committed_files_are_valid(path):
    if path.stem == "queue":
        assert [step for step, _ in queue.read(path)][:2] == ["teacher", "transfer"]
    elif path.stem.endswith("-queue"):
        assert [step for step, _ in queue.read(path)][0] == "teacher"
    elif path.stem.startswith("compare-") and path.stem != "compare-base":
        assert all(len(runs) == 3 for runs in compare.read(path).runs.values())
    else:
        assert config.read(path).name


@pytest.mark.parametrize(
    "content",
    ['steps = [["fly", "x.toml"]]', 'steps = [["teacher"]]', 'steps = [["teacher", 1]]', "steps = 1", "other = 1"],
)
def test_invalid_queues_are_rejected(tmp_path, content):
    (tmp_path / "queue.toml").write_text(content)
    with pytest.raises(TrainingError, match=r"queue\.toml"):
        queue.read(tmp_path / "queue.toml")


@pytest.mark.parametrize("kind", ["linear", "trapezoid"])
@pytest.mark.parametrize("steps", [1, 10, 1000])
def test_learning_rate_rises_and_falls(kind, steps):
    optim = Optim(schedule=kind, warmup=0.1, decay=0.3)
    rates = [schedule.factor(optim, step, steps) for step in range(steps)]
    assert all(0 < r <= 1 for r in rates)
    top = rates.index(max(rates))
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    if steps == 1000:
        assert max(rates) == 1.0
        assert rates[-1] < 0.01
        assert (rates[500] == 1.0) == (kind == "trapezoid")


def test_override_can_set_nested_keys():
    path = FOLDER / "squad-finetune-tricks.toml"
    changed = config.read(path, ["data.unanswerable.removed=0.25", "optim.lr=1e-5"])
    assert (changed.data.unanswerable.removed, changed.optim.lr) == (0.25, 1e-5)
    assert changed.data.unanswerable.swapped == config.read(path).data.unanswerable.swapped
    with pytest.raises(TrainingError, match="'seed' is a key, not a section"):
        config.read(path, ["seed.lr=3"])


def test_queue_that_is_not_text_is_rejected(tmp_path):
    (tmp_path / "queue.toml").write_bytes(b"\xff")
    with pytest.raises(TrainingError, match=r"queue\.toml: not valid TOML"):
        queue.read(tmp_path / "queue.toml")
