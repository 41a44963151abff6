"""GLUE's metrics, in percent."""

import numpy as np


def accuracy(guesses: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Percentage of correct predictions."""
    return {"accuracy": 100 * float(np.mean(guesses == labels))}


def f1(guesses: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """F1 of class 1, and accuracy."""
    hits = float(np.sum((guesses == 1) & (labels == 1)))
    total = float(np.sum(guesses == 1) + np.sum(labels == 1))
    return {"f1": 200 * hits / total if total else 0.0, **accuracy(guesses, labels)}


def matthews(guesses: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Matthews correlation coefficient of two binary vectors; 0 if one of them is constant."""
    return {"matthews": pearson_of(guesses, labels)}


def pearson_of(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson correlation; 0 if one side is constant."""
    a, b = np.asarray(a, float) - np.mean(a), np.asarray(b, float) - np.mean(b)
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return 100 * float(a @ b) / scale if scale else 0.0


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1; ties get their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[inverse]


def correlations(guesses: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Pearson and Spearman correlations."""
    return {"pearson": pearson_of(guesses, labels), "spearman": pearson_of(ranks(guesses), ranks(labels))}


METRICS = {
    "sst2": accuracy,
    "cola": matthews,
    "mrpc": f1,
    "rte": accuracy,
    "stsb": correlations,
    "wnli": accuracy,
}
