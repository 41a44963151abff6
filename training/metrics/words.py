"""Masked words of plain text: how many a model guesses, next to the best guess that reads nothing."""

import dataclasses

import numpy as np
import torch

from training.config import Config
from training.places import Places
from training.tasks.text import open_text

# Sequences that are scored: about 60,000 masked words, which makes half a point a sure difference.
BATCHES, SIZE = 200, 16
TOP = 5


@torch.no_grad()
def evaluate_words(model: torch.nn.Module, config: Config, places: Places) -> dict[str, float]:
    """Accuracy, top-5 accuracy and perplexity over masked words of the corpus that `data.corpus` names."""
    scored = dataclasses.replace(config, optim=dataclasses.replace(config.optim, batch_size=SIZE))
    task = open_text(scored, places, None)
    device = next(model.parameters()).device
    rows, truths = [], []
    for step in range(BATCHES):
        batch = task.batch_at(step).to(device)
        chosen = batch.labels["words"] != -100
        found = model(**batch.inputs()).prediction_logits[chosen].float()
        rows.append(summary(found, batch.labels["words"][chosen]))
        truths.append(batch.labels["words"][chosen].cpu().numpy())
    return figures(np.concatenate(rows), np.concatenate(truths))


def summary(logits: torch.Tensor, truths: torch.Tensor) -> np.ndarray:
    """Of each word: how many others the model prefers, and the logarithm of its probability; `[words, 2]`."""
    own = logits.gather(1, truths[:, None])
    # Ties and NaN count against the model.
    better = (~(logits < own)).sum(1) - 1
    likelihood = own[:, 0] - logits.logsumexp(1)
    return torch.stack([better.float(), likelihood], 1).cpu().numpy()


def figures(rows: np.ndarray, truths: np.ndarray) -> dict[str, float]:
    """Per cent and perplexity; `chance` is what always guessing the most frequent of these words would get."""
    return {
        "n": len(truths),
        "accuracy": 100 * float(np.mean(rows[:, 0] < 1)),
        f"top_{TOP}": 100 * float(np.mean(rows[:, 0] < TOP)),
        "perplexity": float(np.exp(-np.mean(rows[:, 1]))),
        "chance": 100 * float(np.bincount(truths).max() / len(truths)),
    }
