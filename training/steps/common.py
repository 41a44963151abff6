"""Code shared by the training steps: opening models and tasks, running the loop, saving the model."""

import json
from pathlib import Path

import torch

from training import atomic, distil, loop, parallel, state
from training.config import Config
from training.data import batches, tokens
from training.errors import TrainingError
from training.folders import Folders
from training.models import build, deepen, heads, start
from training.models.ensemble import Ensemble
from training.models.save import save_model, tokenizer_directory
from training.strategies import Stage, teacher_part
from training.tasks import CPU, open_task
from training.time_limit import TimeLimit

# Number of batches for counting tokens, and for recording teacher outputs, when a student is initialized.
COUNTED_BATCHES, SAMPLE_BATCHES = 100, 4


def device() -> torch.device:
    """CUDA if available, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def result(config: Config, folders: Folders) -> Path:
    """The model that a later step works on: the result of the run, or `models.init` if there was no such run."""
    trained = folders.run(config.name) / "model"
    if (trained / "config.json").is_file() or not config.models.init:
        return folders.model(f"run:{config.name}")
    return folders.model(config.models.init)


def open_models(config: Config, folders: Folders) -> tuple[torch.nn.Module, torch.nn.Module | None, Path]:
    """Return the model to train, its teacher, and the directory with their tokenizer."""
    loop.seed_everything(config.seed)
    # The order matters: a missing head is initialized randomly.
    teacher = _open_teacher(config, folders) if config.models.teacher else None
    tokenizer_from = tokenizer_directory(config, folders)
    if config.models.init:
        model = build.load(tokenizer_from, config.task)
        if config.models.deepen_after:
            model = deepen.deepen(model, config.task, config.models.deepen_after)
        if config.models.mean_with:
            other = build.load(folders.model(config.models.mean_with), config.task)
            build.average(model, other, config.models.mean_share)
    else:
        model = build.build(build.student_config(config.student, config.task), config.task)
    return model, teacher, tokenizer_from


def _open_teacher(config: Config, folders: Folders) -> torch.nn.Module:
    needs_head = config.loss.soft > 0 or (config.task == "text" and config.loss.pretrain_alpha < 1)
    teacher = build.load(folders.model(config.models.teacher), config.task, whole=needs_head)
    if not config.models.second_teacher:
        return teacher
    return Ensemble(teacher, build.load(folders.model(config.models.second_teacher), config.task, whole=True))


def start_student(config: Config, folders: Folders, model, teacher, task) -> list[list[int]] | None:
    """Initialize a student built from scratch; returns the teacher's heads that it learns, if they are chosen."""
    fresh = teacher is not None and not config.models.init and config.models.word_vectors == "principal-components"
    if fresh:
        counted = [task.batch_at(step).to(CPU) for step in range(COUNTED_BATCHES)]
        counts = batches.piece_counts(counted, tokens.VOCABULARY)
        start.start_from_teacher(model, teacher, counts)
    if teacher is None:
        return None
    earlier = folders.model(config.models.init) / heads.RECORD if config.models.init else None
    if config.transfer.heads != "chosen" and not (earlier and earlier.exists()):
        return None
    if not heads.can_copy(model, teacher):
        raise TrainingError(
            f"{config.name}: 'heads' = \"chosen\" copies heads, which requires a BERT teacher and a MobileBERT student "
            "with equal numbers of layers, stream and head widths, NoNorm, and a bottleneck shared by query and key"
        )
    if earlier:
        chosen = heads.read(earlier)
    else:
        sample = batches.concatenate([task.batch_at(step).to(CPU) for step in range(SAMPLE_BATCHES)])
        outputs = heads.run_teacher(teacher.eval(), sample)
        chosen = heads.choose(teacher, outputs, build.encoder(model).config.num_attention_heads)
        if fresh:
            heads.start_layers(model, teacher, outputs, chosen)
    if parallel.first():
        record = folders.run(config.name) / "model" / heads.RECORD
        atomic.write_whole(record, lambda p: p.write_text(json.dumps(chosen) + "\n"))
    return chosen


def check_transfer(config: Config, model, teacher, chosen: list[list[int]] | None) -> None:
    """Reject feature map and attention losses that can't be computed for this student and teacher."""
    loss = config.loss
    maps = loss.raw_maps or loss.feature_maps or loss.statistics
    if not (maps or loss.attention):
        return
    if teacher is None:
        raise TrainingError(f"{config.name}: losses on maps and attention require a teacher: set 'teacher' in 'models'")
    student, source = build.encoder(model).config, build.encoder(teacher).config
    student_layers, teacher_layers = student.num_hidden_layers, source.num_hidden_layers
    student_heads, teacher_heads = student.num_attention_heads, source.num_attention_heads
    problem = None
    if max(student_layers, teacher_layers) % min(student_layers, teacher_layers):
        problem = (
            f"the student has {student_layers} layers and the teacher {teacher_layers}: one must be a multiple of the "
            "other"
        )
    elif maps and student.hidden_size != source.hidden_size:
        problem = f"the student's maps are {student.hidden_size} wide and the teacher's {source.hidden_size}"
    elif loss.attention and chosen is None and teacher_heads % student_heads:
        problem = (
            f"the teacher's {teacher_heads} heads can't be divided into {student_heads} groups, one per student head"
        )
    if problem:
        raise TrainingError(f"{config.name}: {problem}; set the weights of these losses in 'loss' to 0")


def check_stages(config: Config, stages: list[Stage], model, teacher) -> None:
    """Reject a run with a stage in which there is no loss to minimize."""
    loss = config.loss
    maps = loss.raw_maps or loss.feature_maps or loss.statistics
    task_loss = config.task == "text" or loss.hard or (loss.soft and teacher is not None)
    for stage in stages:
        parts = []
        if teacher is not None:
            parts = [part for part in stage.transfer if _teacher_part(part, model, teacher) is not None]
        if (maps and parts) or (loss.attention and any(parts)) or (stage.distil and task_loss):
            continue
        raise TrainingError(
            f"{config.name}: stage '{stage.name}' has no loss to minimize; set 'hard' in 'loss' (or 'soft' and a "
            "'teacher'), or use another 'strategy' in 'transfer'"
        )


def _teacher_part(part: int, model, teacher) -> int | None:
    student_layers = build.encoder(model).config.num_hidden_layers
    return teacher_part(part, student_layers, build.encoder(teacher).config.num_hidden_layers)


def train(config: Config, folders: Folders, strategy: str, limit: TimeLimit | None = None) -> bool:
    """Start or resume one training step; prints the model's path if it is finished, and returns whether it is."""
    folder = folders.run(config.name)
    if (folder / "done.json").exists():
        print(folder / "model")
        return True
    model, teacher, tokenizer_from = open_models(config, folders)
    task = open_task(config, folders, tokenizer_from, device())
    chosen = start_student(config, folders, model, teacher, task)
    check_transfer(config, model, teacher, chosen)
    model.to(device())
    if teacher is not None:
        teacher.to(device())
    run = loop.Loop(config, folders, model, strategy, limit)
    check_stages(config, run.stages, model, teacher)
    objective = distil.Distillation(config, model, teacher, task.terms, chosen)
    score = None if task.score is None else lambda: task.score(model)
    finished = run.run(task.batch_at, objective, score)
    if parallel.first():
        if finished:
            _finish(run, config, model, tokenizer_from, folder)
            print(folder / "model")
        else:
            print(f"{config.name}: stopped by the time limit at step {run.step} of {run.steps}, saved; resume with")
            print(f"  python -m training resume {folders.checkpoint(config.name)}")
    parallel.wait()
    return finished


def _finish(run: loop.Loop, config: Config, model, tokenizer_from: Path, folder: Path) -> None:
    if config.loop.storage == "compact":
        # Weights in a shared folder are in f16: rounding here, too, makes later runs the same on every machine.
        for name, tensor in model.state_dict().items():
            if not state.left_out(config, name):
                tensor.copy_(tensor.half())
    save_model(model, tokenizer_from, folder / "model")
    summary = {"steps": run.step, "tokens": run.tokens, "hours": round(run.seconds / 3600, 4), "task": config.task}
    atomic.write_whole(folder / "done.json", lambda p: p.write_text(json.dumps(summary, indent=2) + "\n"))
    run.finished_runs.finish(config, model)
