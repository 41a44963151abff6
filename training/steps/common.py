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
from training.models.save import save_model
from training.tasks import CPU, open_task
from training.time_limit import TimeLimit

# Number of batches for counting tokens, and for recording teacher outputs, when a student is initialized.
COUNTED, LOOKED_AT = 100, 4


def device() -> torch.device:
    """CUDA if available, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def result(config: Config, folders: Folders) -> Path:
    """The model that a later step works on: the result of the run, or `models.init` if there was no such run."""
    own = folders.run(config.name) / "model"
    if (own / "config.json").is_file() or not config.models.init:
        return folders.model(f"run:{config.name}")
    return folders.model(config.models.init)


def open_models(config: Config, folders: Folders) -> tuple[torch.nn.Module, torch.nn.Module | None, Path]:
    """Return the model to train, its teacher, and the directory with their tokenizer."""
    loop.seed_everything(config.seed)
    teacher, tokenizer_from = None, None
    if config.models.teacher:
        tokenizer_from = folders.model(config.models.teacher)
        words = config.task == "text" and config.loss.pretrain_alpha < 1
        teacher = build.load(tokenizer_from, config.task, whole=config.loss.soft > 0 or words)
        if config.models.second_teacher:
            second = build.load(folders.model(config.models.second_teacher), config.task, whole=True)
            teacher = Ensemble(teacher, second)
    if config.models.init:
        tokenizer_from = folders.model(config.models.init)
        model = build.load(tokenizer_from, config.task)
        if config.models.deepen_after:
            model = deepen.deepen(model, config.task, config.models.deepen_after)
        if config.models.mean_with:
            other = build.load(folders.model(config.models.mean_with), config.task)
            build.average(model, other, config.models.mean_share)
    else:
        if tokenizer_from is None:
            if not config.data.tokenizer:
                raise TrainingError(f"{config.name}: set 'init' or 'teacher' in 'models', or 'tokenizer' in 'data'")
            tokenizer_from = folders.model(config.data.tokenizer)
        model = build.build(build.student_config(config.student, config.task), config.task)
    return model, teacher, tokenizer_from


def start_student(config: Config, folders: Folders, model, teacher, task) -> list[list[int]] | None:
    """Initialize a student built from scratch; returns the teacher's heads that it learns, if they are chosen."""
    fresh = teacher is not None and not config.models.init and config.models.word_vectors == "principal-components"
    if fresh:
        counts = batches.piece_counts([task.batch_at(step).to(CPU) for step in range(COUNTED)], tokens.VOCABULARY)
        start.start_from_teacher(model, teacher, counts)
    if teacher is None:
        return None
    learned = folders.model(config.models.init) / heads.RECORD if config.models.init else None
    if config.transfer.heads != "chosen" and not (learned and learned.exists()):
        return None
    if not heads.fits(model, teacher):
        raise TrainingError(
            f"{config.name}: 'heads' = \"chosen\" copies heads, which requires a BERT teacher and a MobileBERT student "
            "with equal numbers of layers, stream and head widths, NoNorm, and a bottleneck shared by query and key"
        )
    if learned:
        chosen = heads.read(learned)
    else:
        seen = heads.look(teacher.eval(), batches.together([task.batch_at(step).to(CPU) for step in range(LOOKED_AT)]))
        chosen = heads.choose(teacher, seen, build.encoder(model).config.num_attention_heads)
        if fresh:
            heads.start_layers(model, teacher, seen, chosen)
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
    own, other = build.encoder(model).config, build.encoder(teacher).config
    layers, heads_of = (
        (own.num_hidden_layers, other.num_hidden_layers),
        (own.num_attention_heads, other.num_attention_heads),
    )
    problem = None
    if max(layers) % min(layers):
        problem = f"the student has {layers[0]} layers and the teacher {layers[1]}: one must be a multiple of the other"
    elif maps and own.hidden_size != other.hidden_size:
        problem = f"the student's maps are {own.hidden_size} wide and the teacher's {other.hidden_size}"
    elif loss.attention and chosen is None and heads_of[1] % heads_of[0]:
        problem = f"the teacher's {heads_of[1]} heads can't be divided into {heads_of[0]} groups, one per student head"
    if problem:
        raise TrainingError(f"{config.name}: {problem}; set the weights of these losses in 'loss' to 0")


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
