"""Question answering: windows labeled with the start and end of the answer."""

import hashlib

import numpy as np
import torch

from training import atomic, losses, parallel
from training.config import Config
from training.data import batches
from training.data.squad import Window, Windows, read_train
from training.data.variants import Variants
from training.folders import Folders
from training.tasks import held_out
from training.tasks.task import Task


def open_squad(config: Config, folders: Folders, tokenizer) -> Task:
    """The training file, split into windows; only those that contain their answer are kept."""
    data = config.data
    windows = open_windows(config, folders, tokenizer)
    held, answered = split_windows([w for w in windows.windows if w.end], config)
    if data.limit:
        answered = answered[: data.limit]
    score = (lambda model: held_out_score(model, windows, held)) if held else None
    source = SquadBatches(config, tokenizer, windows, answered)
    return Task(source.at, squad_terms, score, source.order.per_epoch)


def split_windows(windows: list[Window], config: Config) -> tuple[list[Window], list[Window]]:
    """The held-out windows, and the others without those of the same questions, which overlap with them."""
    held, rest = held_out.split(windows, config)
    held_questions = {window.question for window in held}
    return held, [window for window in rest if window.question not in held_questions]


def open_windows(config: Config, folders: Folders, tokenizer) -> Windows:
    """The windows of the training file, cached in `runs/cache` so that a run resumes in seconds."""
    data = config.data
    squad = read_train(folders, data.skip_ambiguous)
    texts = "\0".join([*squad.paragraphs, *(q.text + str(q.answers) for q in squad.questions)])
    settings = f"{data.max_length} {data.doc_stride} {data.max_question}"
    key = hashlib.sha256("\0".join([settings, tokenizer.to_str(), texts]).encode()).hexdigest()[:16]
    path = folders.out / "cache" / f"squad-{key}.pt"
    if path.exists():
        return Windows.restored(squad, torch.load(path, weights_only=True))
    windows = Windows(tokenizer, squad, data.max_length, data.doc_stride, data.max_question)
    if parallel.first():
        atomic.write_whole(path, lambda partial: torch.save(windows.state(), partial))
    return windows


class SquadBatches:
    """Batches of windows, configured fractions of which are modified (see `data/variants.py`)."""

    def __init__(self, config: Config, tokenizer, windows: Windows, answered: list):
        self.seed, self.answered = config.seed, answered
        self.variants = Variants(tokenizer, windows, answered, config.data)
        self.order = batches.Order([windows.length(w) for w in answered], config.optim.batch_size, config.seed)

    def at(self, step: int) -> batches.Batch:
        """The batch of a step."""
        random = np.random.default_rng([self.seed, 2, step])
        examples = [self.variants.draw(self.answered[i], random) for i in self.order.step(step)]
        labels = {
            "start": torch.tensor([e.start for e in examples]),
            "end": torch.tensor([e.end for e in examples]),
            "taught": torch.tensor([e.use_teacher for e in examples]),
        }
        return batches.pad([e.encoded for e in examples], labels)


def squad_terms(student_output, teacher_output, batch: batches.Batch, config: Config) -> dict[str, torch.Tensor]:
    """Soft-label and hard-label losses, averaged over both ends; soft labels only for rows marked `taught`."""
    weights, use_teacher, terms = config.loss, batch.labels["taught"], {}
    ends = [("start", "start_logits"), ("end", "end_logits")]
    padding = batch.attention_mask == 0
    logits = {name: getattr(student_output, name).masked_fill(padding, -1e4) for _, name in ends}
    if weights.hard:
        terms["hard"] = sum(losses.hard_labels(logits[n], batch.labels[label]) for label, n in ends) / 2
    if weights.soft and not use_teacher.any():
        # A zero loss through which gradients can still be computed.
        terms["soft"] = logits["start_logits"].sum() * 0.0
    elif weights.soft and teacher_output is not None:
        targets = {name: getattr(teacher_output, name).masked_fill(padding, -1e4) for _, name in ends}
        by_end = [
            losses.soft_labels(logits[name][use_teacher], targets[name][use_teacher], weights.temperature)
            for _, name in ends
        ]
        terms["soft"] = sum(by_end) / 2
    return terms


@torch.no_grad()
def held_out_score(model, windows: Windows, held: list, batch_size: int = 16) -> dict:
    """Percentage of held-out windows with both ends correct: a rough guide, not an official metric."""
    device = next(model.parameters()).device
    hits = 0
    for i in range(0, len(held), batch_size):
        part = held[i : i + batch_size]
        batch = batches.pad([windows.encoded(w) for w in part], {}).to(device)
        out = model(**batch.inputs())
        padding = batch.attention_mask == 0
        start = out.start_logits.masked_fill(padding, -1e4).argmax(1).tolist()
        end = out.end_logits.masked_fill(padding, -1e4).argmax(1).tolist()
        hits += sum(w.start == s and w.end == e for w, s, e in zip(part, start, end, strict=True))
    return {"held_out_exact": 100 * hits / len(held)}
