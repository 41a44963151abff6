"""Training as in the GPU kit: packed data, only PyTorch, a shared checkpoint folder, a time limit, and resuming."""

import dataclasses
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from training import bundles, loop, tensors, time_limit
from training.__main__ import main
from training.errors import TrainingError
from training.folders import Folders
from training.steps import finetune, pack, queue, resume
from training.tests.conftest import tiny

ROOT = Path(__file__).resolve().parents[2]
TEACHER = """
name = "{0}-teacher"
task = "squad"
[models]
init = "models:tiny-squad"
[data]
packed = "squad"
max_length = 64
max_question = 16
mismatch = 0.2
[optim]
steps = 4
batch_size = 4
freeze_words = true
[loop]
storage = "compact"
log_every = 1
evaluate_every = 2
checkpoint_minutes = 0.0
"""
STUDENT = """
name = "{0}-student"
task = "squad"
[models]
init = "models:tiny-squad"
teacher = "run:{0}-teacher"
[data]
packed = "squad"
[loss]
raw_maps = 0.5
soft = 1.0
[optim]
steps = 3
batch_size = 4
freeze_words = true
[loop]
storage = "compact"
log_every = 1
checkpoint_minutes = 0.0
"""


@dataclasses.dataclass
class Kit:
    """Two stages and their folders."""

    queue: Path
    folders: Folders
    name: str

    def weights(self, run: str) -> dict[str, torch.Tensor]:
        """Return the weights of a finished run."""
        return tensors.read(self.folders.run(f"{self.name}-{run}") / "model" / "model.safetensors")


@pytest.fixture
def kit(world, tmp_path) -> Kit:
    name = "kit"
    (tmp_path / "teacher.toml").write_text(TEACHER.format(name))
    (tmp_path / "student.toml").write_text(STUDENT.format(name))
    stages = [["teacher", "teacher.toml"], ["finetune", "student.toml"]]
    (tmp_path / "queue.toml").write_text(f"steps = {json.dumps(stages)}")
    text = dataclasses.replace(world, out=tmp_path / "data")
    pack.run(queue.read(tmp_path / "queue.toml")[0][1], text)
    folders = Folders(tmp_path / "data", world.models, tmp_path / "runs", checkpoints=tmp_path / "out" / "checkpoint")
    return Kit(tmp_path / "queue.toml", folders, name)


def arguments(kit: Kit, folders: Folders) -> list[str]:
    given = {"data": folders.data, "models": folders.models, "out": folders.out, "threads": 1}
    return [str(word) for name, value in given.items() for word in (f"--{name}", value)]


def test_packed_examples_equal_those_of_the_text(kit, world):
    config = queue.read(kit.queue)[0][1]
    from training.data import packed, squad, tokens

    examples = packed.read(kit.folders.data / "packed" / "squad.xz")
    data = squad.read_train(world, True)
    windows = squad.Windows(tokens.load(world.models / "tiny-squad"), data, 64, config.data.doc_stride, 16)
    wanted = {tuple(windows.encoded(w).ids): (w.start, w.end) for w in windows.windows if w.end}
    starts = [0, *examples.lengths.cumsum()]
    found = 0
    for row, (start, end) in enumerate(zip(examples.labels["start"], examples.labels["end"], strict=True)):
        ids = tuple(examples.pieces[starts[row] : starts[row + 1]].tolist())
        assert ids[examples.heads[row] - 1] == 102
        if end:
            found += 1
            assert wanted[ids] == (start, end)
    assert 0 < found < len(examples.lengths)


def test_packed_batches_equal_those_of_the_text(kit):
    import numpy as np

    from training.data import packed

    config = queue.read(kit.queue)[0][1]
    examples = packed.read(kit.folders.data / "packed" / "squad.xz")
    batches = packed.PackedBatches(config, examples, np.arange(len(examples.lengths)), torch.device("cpu"))
    numbers = np.array([3, 0, 5])
    batch = batches.batch(numbers)
    starts = [0, *examples.lengths.cumsum()]
    assert batch.tokens() == examples.lengths[numbers].sum() == batch.attention_mask.sum()
    for row, number in enumerate(numbers):
        length, head = examples.lengths[number], examples.heads[number]
        pieces = examples.pieces[starts[number] : starts[number + 1]]
        assert batch.input_ids[row].tolist() == [*pieces.tolist(), *[0] * (batch.input_ids.shape[1] - length)]
        assert batch.token_type_ids[row].tolist() == [
            int(head <= place < length) for place in range(batch.input_ids.shape[1])
        ]
        assert batch.labels["start"][row] == examples.labels["start"][number]


def test_interrupted_stages_equal_uninterrupted_ones_even_on_another_machine(kit, monkeypatch, tmp_path):
    queue.run_queue(kit.queue, kit.folders)
    whole = {run: kit.weights(run) for run in ("teacher", "student")}
    train_step = loop.Loop._train_step

    class Cut(Exception):
        pass

    cut, shared = dataclasses.replace(kit.folders, out=tmp_path / "0"), tmp_path / "elsewhere"
    for machine, after in enumerate((2, 3, 1)):
        # Only the shared folder is kept from the previous machine.
        cut = dataclasses.replace(cut, out=tmp_path / str(machine), checkpoints=shared)
        done = []

        def fail(self, *arguments, done=done, after=after):
            if len(done) == after:
                raise Cut
            done.append(self.step)
            train_step(self, *arguments)

        monkeypatch.setattr(loop.Loop, "_train_step", fail)
        with pytest.raises(Cut):
            queue.run_queue(kit.queue, cut)
    monkeypatch.setattr(loop.Loop, "_train_step", train_step)
    last = dataclasses.replace(cut, out=tmp_path / "last")
    resume.run_checkpoint(shared, last)
    kit.folders = last
    for run, wanted in whole.items():
        found = kit.weights(run)
        assert found.keys() == wanted.keys()
        assert all(torch.equal(found[name], wanted[name]) for name in wanted), run
    steps = [json.loads(line)["step"] for line in (last.run("kit-student") / "log.jsonl").read_text().splitlines()]
    assert steps == [1, 2, 3]
    bundle = bundles.read(shared)
    assert "run" not in bundle.about
    assert not any(
        "word_embeddings" in name
        for name in tensors.from_bytes(bundle.pieces["runs/kit-teacher/weights.safetensors"], "teacher")
    )


def test_resume_takes_the_configuration_from_the_checkpoint(kit, capsys, monkeypatch):
    monkeypatch.setattr(time_limit.TimeLimit, "allows", lambda self: self.done < 2)
    assert (
        main(
            ["queue", "--config", str(kit.queue), "--checkpoints", str(kit.folders.checkpoints)]
            + arguments(kit, kit.folders)
        )
        == 0
    )
    assert "stopped by the time limit at step 2 of 4, saved; resume with" in capsys.readouterr().out
    monkeypatch.undo()
    assert main(["resume", str(kit.folders.checkpoints), *arguments(kit, kit.folders)]) == 0
    assert capsys.readouterr().out == f"{kit.folders.run('kit-teacher') / 'model'}\n"
    assert main(["resume", str(kit.folders.checkpoints), *arguments(kit, kit.folders)]) == 0
    assert "no unfinished run" in capsys.readouterr().out


def test_limit_too_short_for_one_step_writes_nothing(kit, capsys, monkeypatch):
    def slow(*_):
        time.sleep(30)

    monkeypatch.setattr(loop.Loop, "_train_step", slow)
    command = ["queue", "--config", str(kit.queue), "--checkpoints", str(kit.folders.checkpoints)]
    began = time.monotonic()
    assert main([*command, *arguments(kit, kit.folders), "--seconds", "2"]) == 1
    assert time.monotonic() - began < 25
    printed = capsys.readouterr()
    assert printed.err == ("error: 2 seconds are too short for one step; increase --seconds. Nothing was written\n")
    assert not kit.folders.checkpoints.exists()
    assert not list(kit.folders.out.rglob("*"))


def test_limit_keeps_the_previous_checkpoint(kit, capsys, monkeypatch):
    monkeypatch.setattr(time_limit.TimeLimit, "allows", lambda self: self.done < 1)
    queue.run_queue(kit.queue, kit.folders, time_limit.TimeLimit())
    monkeypatch.undo()
    before = {path: path.read_bytes() for path in kit.folders.checkpoints.iterdir()}
    monkeypatch.setattr(loop.Loop, "_train_step", lambda *_: time.sleep(30))
    capsys.readouterr()
    assert main(["resume", str(kit.folders.checkpoints), *arguments(kit, kit.folders), "--seconds", "2"]) == 1
    assert "too short for one step" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in kit.folders.checkpoints.iterdir()} == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("optim.batch_size=8", "optim.batch_size is 4 in the checkpoint but 8 in the configuration"),
        ("loop.storage='exact'", "loop.storage is 'compact' in the checkpoint but 'exact' in the configuration"),
        ("seed=7", "seed is 1 in the checkpoint but 7 in the configuration"),
        ("name='other'", "belongs to the run 'kit-teacher', not to 'other'"),
    ],
)
def test_checkpoint_of_another_configuration_is_rejected(kit, capsys, monkeypatch, change, says):
    monkeypatch.setattr(time_limit.TimeLimit, "allows", lambda self: self.done < 1)
    queue.run_queue(kit.queue, kit.folders, time_limit.TimeLimit())
    monkeypatch.undo()
    before = {path: path.read_bytes() for path in kit.folders.checkpoints.iterdir()}
    config = str(kit.queue.with_name("teacher.toml"))
    capsys.readouterr()
    command = ["teacher", "--config", config, "--checkpoints", str(kit.folders.checkpoints), "--set", change]
    assert main(command + arguments(kit, kit.folders)) == 1
    line = capsys.readouterr().err
    assert line.startswith("error: ") and line.count("\n") == 1
    assert says in line and "python -m training resume" in line
    assert {path: path.read_bytes() for path in kit.folders.checkpoints.iterdir()} == before


def test_train_steping_rate_may_change_on_resume(kit, monkeypatch):
    monkeypatch.setattr(time_limit.TimeLimit, "allows", lambda self: self.done < 1)
    queue.run_queue(kit.queue, kit.folders, time_limit.TimeLimit())
    monkeypatch.undo()
    queue.run_queue(kit.queue, kit.folders, overrides=["optim.lr=1e-5", "loop.log_every=2"])
    assert (kit.folders.run("kit-student") / "done.json").exists()


def test_full_shared_folder_is_reported_before_the_run(kit, monkeypatch, capsys):
    from training import shared_folder

    monkeypatch.setattr(shared_folder, "_checkpoint_size", lambda *_: shared_folder.ROOM - 1000)
    queue.run_queue(kit.queue, kit.folders)
    printed = capsys.readouterr().out
    assert "of 'kit-student' exceed 60 MiB; extract the finished ones" in printed
    assert (kit.folders.run("kit-teacher") / "done.json").exists()
    assert not (kit.folders.run("kit-student") / "log.jsonl").exists()


@pytest.mark.parametrize("change", ["optim", "optim.lr", "optim.lr=fast", "=3", "optim.=3"])
def test_invalid_overrides_are_rejected(kit, change):
    with pytest.raises(TrainingError, match="must be section.key=value"):
        queue.read(kit.queue, [change])


def test_folder_without_a_checkpoint_is_reported(kit, capsys, tmp_path):
    assert main(["resume", str(tmp_path), *arguments(kit, kit.folders)]) == 1
    assert f"error: {tmp_path}: not a checkpoint folder" in capsys.readouterr().err


BLOCKED = """
import sys
class Without:
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        missing = name.split(".")[0] in {"transformers", "tokenizers", "safetensors", "matplotlib"}
        return None if missing else self.finder.find_spec(name, path, target)
    def __getattr__(self, name):
        return getattr(self.finder, name)
sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
try:
    import safetensors
except ModuleNotFoundError:
    from training.__main__ import main
    sys.exit(main(sys.argv[1:]))
"""


def test_training_and_resuming_only_need_torch_and_numpy(kit):
    shared = str(kit.folders.checkpoints)
    for command in (["queue", "--config", str(kit.queue), "--checkpoints", shared], ["resume", shared]):
        ran = subprocess.run(
            [sys.executable, "-c", BLOCKED, *command, *arguments(kit, kit.folders)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
    assert (kit.folders.run("kit-student") / "model" / "model.safetensors").exists()


def test_run_resumes_from_its_own_folder(world, monkeypatch, capsys):
    config = tiny("own-folder", models={"init": "models:tiny"}, loop={"checkpoint_minutes": 0.0})
    monkeypatch.setattr(time_limit.TimeLimit, "allows", lambda self: self.done < 3)
    assert not finetune.run(config, world, time_limit.TimeLimit())
    monkeypatch.undo()
    folder = world.run("own-folder") / "checkpoint"
    resume.run_checkpoint(folder, world)
    whole = tiny("own-folder-uncut", models={"init": "models:tiny"})
    finetune.run(whole, world)
    one, other = (
        tensors.read(world.run(name) / "model" / "model.safetensors") for name in ("own-folder", "own-folder-uncut")
    )
    assert all(torch.equal(one[name], other[name]) for name in other)


def test_overrides_are_rejected_when_resuming(kit, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["resume", str(kit.folders.checkpoints), "--set", "optim.lr=1"])
    assert stop.value.code == 2
    assert "--set: resume uses the configuration in the checkpoint" in capsys.readouterr().err
