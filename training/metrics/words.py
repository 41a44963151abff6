"""Accuracy on masked words of plain text, compared with that of the best constant guess."""

import dataclasses

import numpy as np
import torch

from training.config import Config
from training.folders import Folders
from training.tasks.text import open_text

# Sequences to score: about 60,000 masked words, so that a difference of half a point is significant.
BATCHES, SIZE = 200, 16
TOP = 5


@torch.no_grad()
def evaluate_words(model: torch.nn.Module, config: Config, folders: Folders) -> dict[str, float]:
    """Accuracy, top-5 accuracy and perplexity over masked words of the corpus that `data.corpus` names."""
    scored = dataclasses.replace(config, optim=dataclasses.replace(config.optim, batch_size=SIZE))
    task = open_text(scored, folders, None)
    device = next(model.parameters()).device
    rows, truths = [], []
    for step in range(BATCHES):
        batch = task.batch_at(step).to(device)
        chosen = batch.labels["words"] != -100
        logits = model(**batch.inputs()).prediction_logits[chosen].float()
        rows.append(summary(logits, batch.labels["words"][chosen]))
        truths.append(batch.labels["words"][chosen].cpu().numpy())
    return figures(np.concatenate(rows), np.concatenate(truths))


def summary(logits: torch.Tensor, truths: torch.Tensor) -> np.ndarray:
    """For each word, the number of words that the model ranks higher and its log probability; `[words, 2]`."""
    truth_logits = logits.gather(1, truths[:, None])
    # Ties and NaN count against the model.
    better = (~(logits < truth_logits)).sum(1) - 1
    log_probability = truth_logits[:, 0] - logits.logsumexp(1)
    return torch.stack([better.float(), log_probability], 1).cpu().numpy()


def figures(rows: np.ndarray, truths: np.ndarray) -> dict[str, float]:
    """Percentages and perplexity; `chance` is the accuracy of always guessing the most frequent of these words."""
    return {
        "n": len(truths),
        "accuracy": 100 * float(np.mean(rows[:, 0] < 1)),
        f"top_{TOP}": 100 * float(np.mean(rows[:, 0] < TOP)),
        "perplexity": float(np.exp(-np.mean(rows[:, 1]))),
        "chance": 100 * float(np.bincount(truths).max() / len(truths)),
    }
