"""SQuAD's official metrics."""

import collections
import re
import string

import numpy as np

from training.config import Data
from training.data.squad import Squad, Windows, read_dev
from training.folders import Folders
from training.metrics.answers import Prediction, predict
from training.metrics.calibration import expected_calibration_error


def normalize(text: str) -> str:
    """Lowercase and remove punctuation, articles and extra spaces."""
    text = "".join(c for c in text.lower() if c not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def exact(guess: str, truth: str) -> float:
    """1 if both are equal after normalization, else 0."""
    return float(normalize(guess) == normalize(truth))


def f1(guess: str, truth: str) -> float:
    """F1 of the words; if either side is empty, 1 only if both are."""
    guess_words, truth_words = normalize(guess).split(), normalize(truth).split()
    if not guess_words or not truth_words:
        return float(guess_words == truth_words)
    common = sum((collections.Counter(guess_words) & collections.Counter(truth_words)).values())
    return 2 * common / (len(guess_words) + len(truth_words)) if common else 0.0


def totals(data: Squad, guesses: dict[str, str]) -> dict[str, float]:
    """Exact match and F1 in percent; if some questions have no answer, also for the two groups separately."""
    rows = []
    for q in data.questions:
        truths = [t for _, t in q.answers if normalize(t)] or [""]
        guess = guesses.get(q.id, "")
        rows.append((max(exact(guess, t) for t in truths), max(f1(guess, t) for t in truths), bool(q.answers)))
    scores = {"n": len(rows), **_mean("", rows)}
    answered, unanswered = [row for row in rows if row[2]], [row for row in rows if not row[2]]
    if unanswered:
        scores |= _mean("HasAns_", answered) | _mean("NoAns_", unanswered)
    return scores


def _mean(prefix: str, rows: list) -> dict[str, float]:
    count = max(1, len(rows))
    return {
        f"{prefix}exact_match": 100 * sum(r[0] for r in rows) / count,
        f"{prefix}f1": 100 * sum(r[1] for r in rows) / count,
    }


def is_right(data: Squad, predictions: dict[str, Prediction]) -> np.ndarray:
    """1 for each question whose answer has an F1 of at least 0.5, else 0."""
    return (best_overlaps(data, predictions) >= 0.5).astype(float)


def best_overlaps(data: Squad, predictions: dict[str, Prediction]) -> np.ndarray:
    """The F1 of each question's answer; 0 for a question without one."""
    return np.array(
        [max((f1(predictions[q.id].text, truth) for _, truth in q.answers), default=0.0) for q in data.questions]
    )


def evaluate_squad(model, tokenizer, folders: Folders, data: Data, calibration: dict | None = None) -> dict[str, float]:
    """Score a dev set; for version 2.0, the configured threshold on (no answer − best answer) is applied.

    The calibration error is computed for distinct answers, without and with the calibration; for version 1.1, where
    every question has an answer, from their probabilities among all answers.
    """
    squad = read_dev(folders, data.version)
    if data.limit:
        chosen = np.random.default_rng(0).permutation(len(squad.questions))[: data.limit]
        squad = Squad(squad.paragraphs, squad.articles, [squad.questions[i] for i in sorted(chosen)])
    windows = Windows(tokenizer, squad, data.max_length, data.doc_stride, data.max_question)
    calibration = calibration or {}
    temperatures = np.array([1.0, calibration.get("temperature", 1.0)])
    predictions = predict(model, windows, temperatures, data.span_costs)
    may_be_null = data.version == "2.0"
    biases = np.array([0.0, calibration.get("null_bias", 0.0)]) if may_be_null else -np.inf
    guesses = {
        key: "" if may_be_null and prediction.null - prediction.score > data.null_threshold else prediction.text
        for key, prediction in predictions.items()
    }
    scores = totals(squad, guesses)
    answered = np.array([bool(guesses[q.id]) for q in squad.questions])
    right = is_right(squad, predictions)[answered]
    by_question = np.array([predictions[q.id].probabilities(temperatures, biases) for q in squad.questions])[answered]
    for name, probabilities in zip(("plain", "calibrated"), by_question.T, strict=True):
        scores[f"calibration_error_{name}"] = expected_calibration_error(probabilities, right)
    return scores
