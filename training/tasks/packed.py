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
    score = (lambda model: share_right(model, batches, np.asarray(held))) if held else None
    return Task(batches.at, terms, score, batches.order.per_epoch)


@torch.no_grad()
def share_right(model, batches: packed.PackedBatches, held: np.ndarray, batch_size: int = 64) -> dict:
    """Percentage of held-out examples whose label, or both ends, are correct: a rough guide, not an official metric."""
    hits = count = 0
    for start in range(0, len(held), batch_size):
        batch = batches.batch(held[start : start + batch_size])
        out, labels = model(**batch.inputs()), batch.labels
        if "start" in labels:
            hidden = batch.attention_mask == 0
            right = out.start_logits.masked_fill(hidden, -1e4).argmax(1) == labels["start"]
            right &= out.end_logits.masked_fill(hidden, -1e4).argmax(1) == labels["end"]
            known = torch.ones_like(right)
        else:
            known = labels["label"] >= 0
            right = (out.logits.argmax(1) == labels["label"]) & known
        hits, count = hits + int(right.sum()), count + int(known.sum())
    return {"held_out_exact" if "start" in batch.labels else "held_out_accuracy": 100 * hits / max(1, count)}
