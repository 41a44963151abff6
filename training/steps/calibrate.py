"""Fit temperature and thresholds on held-out training rows; dev sets are not used."""

import dataclasses
import json

import numpy as np

from training import atomic
from training.calibration import fit, labels, unanswered
from training.config import Config, Data, SpanCosts
from training.data import glue, opinions, squad, tokens
from training.errors import TrainingError
from training.folders import Folders
from training.metrics.answers import predict
from training.metrics.calibration import expected_calibration_error
from training.metrics.squad import best_overlaps
from training.metrics.squad import right as right_answers
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
# Index of the temperature closest to 1, which stands for the uncalibrated model.
PLAIN = int(np.argmin(np.abs(fit.TEMPERATURES - 1)))
# Number of facts for fitting the neutral zone, and their seed, which differs from training's.
FACTS, FACTS_SEED = 600, 77


def path(config: Config, folders: Folders):
    """Return the path of a run's calibration; `export` copies its `calibration` and `span_costs` to `config.json`."""
    return folders.run(config.name) / "calibration.json"


def read(config: Config, folders: Folders) -> dict:
    """Return the entries of a calibrated run for `config.json`; empty if it was not calibrated."""
    file = path(config, folders)
    found = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return {key: found[key] for key in ("calibration", "span_costs") if key in found}


def balanced_threshold(config: Config, folders: Folders) -> float:
    """The threshold for SQuAD v2.0, where half of the questions have no answer, or else the configured one."""
    file = path(config, folders)
    found = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return found.get("balanced_threshold", config.data.null_threshold)


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
    kept, costs = squad.read_ambiguous(folders), config.data.span_costs
    made = unanswered.pairs(kept, config.data.limit or COUNT, config.seed, config.data)
    found = predict(model, _windows(tokenizer, made.data, config.data), fit.TEMPERATURES, costs)
    asked = [found[q.id] for q in made.data.questions]
    differences = np.array([one.null - one.score for one in asked])
    overlaps = best_overlaps(made.data, found)[made.answerable]
    balanced = fit.keeping(differences[made.answerable], overlaps, KEPT)
    cut, _ = fit.threshold(differences, made.answerable, WEIGHT)
    # The answers that would be given, including those to questions without an answer.
    given = differences <= cut
    weights = np.where(made.answerable, 1.0, WEIGHT)[given]
    right = right_answers(made.data, found)
    # First fit the temperature on questions with an answer, then the bias of "no answer" on all.
    among = np.array([one.probabilities(fit.TEMPERATURES, -np.inf) for one in asked])[made.answerable].T
    best = fit.closest(list(among), right[made.answerable])
    each = np.array([one.probabilities(fit.TEMPERATURES, fit.BIASES[:, None])[:, best] for one in asked])
    each, right = each[given].T, right[given]
    bias = fit.closest(list(each), right, weights)
    plain = np.array([one.probabilities(fit.TEMPERATURES)[PLAIN] for one in asked])[given]
    return {
        "calibration": {
            "temperature": round(float(fit.TEMPERATURES[best]), 4),
            "null_bias": round(float(fit.BIASES[bias]), 4),
            "null_threshold": round(cut, 4),
            "unsure_below": UNSURE_BELOW,
        },
        **({"span_costs": dataclasses.asdict(costs)} if costs != SpanCosts() else {}),
        "rows": len(differences),
        "balanced_threshold": round(balanced, 4),
        "decided": 100 * float(np.mean((differences <= balanced) == made.answerable)),
        "found": unanswered.found(differences, made, balanced),
        "error_before": expected_calibration_error(plain, right, weights=weights),
        "error_after": expected_calibration_error(each[bias], right, weights=weights),
    }


def _windows(tokenizer, data: squad.Squad, settings: Data) -> squad.Windows:
    return squad.Windows(tokenizer, data, settings.max_length, settings.doc_stride, settings.max_question)


def _labels(model, tokenizer, config: Config, folders: Folders) -> dict:
    held, rest = split(glue.read_train(folders, "sst2"), config.data.limit or config.loop.held_out)
    if not held:
        raise TrainingError(f"{config.name}: the training file has no whole sentences to calibrate on")
    maker = opinions.Maker(rest, squad.read_train(folders, False).paragraphs)
    random = np.random.default_rng(FACTS_SEED)
    facts = [glue.Row(maker.draw("fact", random).text, None, 0.5) for _ in range(FACTS)]

    def logits(rows: list[glue.Row]) -> np.ndarray:
        return predict_rows(model, tokens.encode_rows(tokenizer, rows, config.data.max_length))

    seen, truths = logits(held), np.array([row.label for row in held])
    each = [labels.positive(seen, t) for t in fit.TEMPERATURES]
    best = fit.closest(each, truths)
    temperature = float(fit.TEMPERATURES[best])
    said = each[best]
    low, high, decided = labels.neutral_zone(
        said[truths == 0], labels.positive(logits(facts), temperature), said[truths == 1]
    )
    return {
        "calibration": {"temperature": round(temperature, 4), "neutral": [round(low, 2), round(high, 2)]},
        "rows": len(held),
        "facts": len(facts),
        "decided": 100 * decided,
        "error_before": labels.error(labels.positive(seen, 1.0), truths),
        "error_after": labels.error(said, truths),
    }
