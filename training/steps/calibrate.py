"""Fit temperature and thresholds on held-out training rows; dev sets are not used."""

import dataclasses
import json
from pathlib import Path

import numpy as np

from training import atomic
from training.calibration import fit, labels, unanswered
from training.config import Config, Data, SpanCosts
from training.data import glue, opinions, squad, tokens
from training.errors import TrainingError
from training.folders import Folders
from training.metrics.answers import Prediction, predict
from training.metrics.calibration import expected_calibration_error
from training.metrics.squad import best_overlaps, is_right
from training.models import build
from training.steps.common import device, result
from training.tasks.glue import predict_rows
from training.tasks.sentiment import split

COUNT = 6000
# Share of the answers' F1 that SQuAD v2.0's threshold keeps: the goal is 73 of v1.1's 79.6.
KEPT = 0.92
# Weight of questions without an answer: they are half of the sample, but perhaps a third of what people ask.
WEIGHT = 0.5
# With calibrated probabilities, an answer below this is more likely wrong than right.
UNSURE_BELOW = 0.5
# Index of the temperature closest to 1, that of the uncalibrated model.
PLAIN = int(np.argmin(np.abs(fit.TEMPERATURES - 1)))
# Number of facts for fitting the neutral zone, and their seed, which differs from training's.
FACTS, FACTS_SEED = 600, 77


def path(config: Config, folders: Folders) -> Path:
    """Return the path of a run's calibration; `export` copies its `calibration` and `span_costs` to `config.json`."""
    return folders.run(config.name) / "calibration.json"


def read(config: Config, folders: Folders) -> dict:
    """Return the entries of a calibrated run for `config.json`; empty if it was not calibrated."""
    figures = _read_figures(config, folders)
    return {key: figures[key] for key in ("calibration", "span_costs") if key in figures}


def balanced_threshold(config: Config, folders: Folders) -> float:
    """The threshold for SQuAD v2.0, where half of the questions have no answer, or else the configured one."""
    return _read_figures(config, folders).get("balanced_threshold", config.data.null_threshold)


def _read_figures(config: Config, folders: Folders) -> dict:
    file = path(config, folders)
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def run(config: Config, folders: Folders) -> None:
    """Write `calibration.json` to the run's folder; `evaluate` and `export` read it."""
    if config.task not in ("squad", "sst2"):
        raise TrainingError(f"{config.name}: calibration requires the task squad or sst2")
    directory = result(config, folders)
    model = build.load(directory, config.task, whole=True).to(device()).eval()
    calibrate = _questions if config.task == "squad" else _labels
    figures = calibrate(model, tokens.load(directory), config, folders)
    atomic.write_whole(path(config, folders), lambda p: p.write_text(json.dumps(figures) + "\n"))
    print(json.dumps(figures))


def _questions(model, tokenizer, config: Config, folders: Folders) -> dict:
    costs = config.data.span_costs
    sample = unanswered.sample(squad.read_ambiguous(folders), config.data.limit or COUNT, config.seed, config.data)
    by_id = predict(model, _windows(tokenizer, sample.data, config.data), fit.TEMPERATURES, costs)
    predictions = [by_id[question.id] for question in sample.data.questions]
    differences = np.array([prediction.null - prediction.score for prediction in predictions])
    overlaps = best_overlaps(sample.data, by_id)[sample.answerable]
    balanced = fit.threshold_keeping(differences[sample.answerable], overlaps, KEPT)
    threshold, _ = fit.threshold(differences, sample.answerable, WEIGHT)
    calibration, errors = _fit_probabilities(
        sample, predictions, is_right(sample.data, by_id), differences <= threshold
    )
    return {
        "calibration": {**calibration, "null_threshold": round(threshold, 4), "unsure_below": UNSURE_BELOW},
        **({"span_costs": dataclasses.asdict(costs)} if costs != SpanCosts() else {}),
        "rows": len(differences),
        "balanced_threshold": round(balanced, 4),
        "decided": 100 * float(np.mean((differences <= balanced) == sample.answerable)),
        "found": unanswered.accuracy_by_kind(differences, sample, balanced),
        **errors,
    }


def _fit_probabilities(
    sample: unanswered.Sample, predictions: list[Prediction], right: np.ndarray, given: np.ndarray
) -> tuple[dict[str, float], dict[str, float]]:
    """Fit temperature and bias of "no answer"; returns them, and the calibration error before and after.

    `given`: which answers would be given, including those to questions without an answer.
    """
    weights = np.where(sample.answerable, 1.0, WEIGHT)[given]
    # First fit the temperature on questions with an answer, then the bias on all.
    among_answers = np.array([prediction.probabilities(fit.TEMPERATURES, -np.inf) for prediction in predictions])
    best = fit.closest(list(among_answers[sample.answerable].T), right[sample.answerable])
    biases = fit.BIASES[:, None]
    by_bias = np.array([prediction.probabilities(fit.TEMPERATURES, biases)[:, best] for prediction in predictions])
    by_bias, right = by_bias[given].T, right[given]
    bias = fit.closest(list(by_bias), right, weights)
    plain = np.array([prediction.probabilities(fit.TEMPERATURES)[PLAIN] for prediction in predictions])[given]
    calibration = {
        "temperature": round(float(fit.TEMPERATURES[best]), 4),
        "null_bias": round(float(fit.BIASES[bias]), 4),
    }
    errors = {
        "error_before": expected_calibration_error(plain, right, weights=weights),
        "error_after": expected_calibration_error(by_bias[bias], right, weights=weights),
    }
    return calibration, errors


def _windows(tokenizer, data: squad.Squad, settings: Data) -> squad.Windows:
    return squad.Windows(tokenizer, data, settings.max_length, settings.doc_stride, settings.max_question)


def _labels(model, tokenizer, config: Config, folders: Folders) -> dict:
    held, rest = split(glue.read_train(folders, "sst2"), config.data.limit or config.loop.held_out)
    if not held:
        raise TrainingError(f"{config.name}: the training file has no whole sentences to calibrate on")
    generator = opinions.SentenceGenerator(rest, squad.read_train(folders, False).paragraphs)
    random = np.random.default_rng(FACTS_SEED)
    facts = [glue.Row(generator.draw("fact", random).text, None, 0.5) for _ in range(FACTS)]

    def logits(rows: list[glue.Row]) -> np.ndarray:
        return predict_rows(model, tokens.encode_rows(tokenizer, rows, config.data.max_length))

    held_logits, truths = logits(held), np.array([row.label for row in held])
    candidates = [labels.positive(held_logits, temperature) for temperature in fit.TEMPERATURES]
    best = fit.closest(candidates, truths)
    temperature, positive = float(fit.TEMPERATURES[best]), candidates[best]
    low, high, decided = labels.neutral_zone(
        positive[truths == 0], labels.positive(logits(facts), temperature), positive[truths == 1]
    )
    return {
        "calibration": {"temperature": round(temperature, 4), "neutral": [round(low, 2), round(high, 2)]},
        "rows": len(held),
        "facts": len(facts),
        "decided": 100 * decided,
        "error_before": labels.error(labels.positive(held_logits, 1.0), truths),
        "error_after": labels.error(positive, truths),
    }
