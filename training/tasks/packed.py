"""Tasks on examples tokenized in advance."""

import numpy as np
import torch

from training.config import Config
from training.data import packed
from training.folders import Folders
from training.tasks import glue, held_out, squad
from training.tasks.task import Task


def open_packed(config: Config, folders: Folders, device: torch.device) -> Task:
    """The examples of `data.packed`, with some held out for evaluation during training."""
    examples = packed.read(folders.data_file("packed", f"{config.data.packed}.xz"))
    held, chosen = held_out.split(np.arange(len(examples.lengths)), config)
    if config.data.limit:
        chosen = chosen[: config.data.limit]
    batches = packed.PackedBatches(config, examples, np.asarray(chosen), device)
    terms = squad.squad_terms if config.task == "squad" else glue.glue_terms
    score = (lambda model: held_out_score(model, batches, np.asarray(held))) if held else None
    return Task(batches.at, terms, score, batches.order.per_epoch)


@torch.no_grad()
def held_out_score(model, batches: packed.PackedBatches, held: np.ndarray, batch_size: int = 64) -> dict:
    """Score held-out examples: a rough guide, not an official metric.

    The percentage of examples whose label, or both ends of the answer, are correct, or the mean squared error.
    """
    total, count = 0.0, 0
    for start in range(0, len(held), batch_size):
        batch = batches.batch(held[start : start + batch_size])
        out, labels = model(**batch.inputs()), batch.labels
        if "start" in labels:
            name = "held_out_exact"
            padding = batch.attention_mask == 0
            points = out.start_logits.masked_fill(padding, -1e4).argmax(1) == labels["start"]
            points &= out.end_logits.masked_fill(padding, -1e4).argmax(1) == labels["end"]
        elif labels["label"].is_floating_point():
            name = "held_out_error"
            points = (out.logits[:, 0] - labels["label"]).square()
        else:
            name = "held_out_accuracy"
            known = labels["label"] >= 0
            points = (out.logits.argmax(1) == labels["label"])[known]
        total, count = total + float(points.sum()), count + len(points)
    return {name: (1 if name == "held_out_error" else 100) * total / max(1, count)}
