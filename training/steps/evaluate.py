"""Score a model directory on a dev set with the official metric."""

import dataclasses
import json
from pathlib import Path

import numpy as np

from training import atomic, quantize
from training.calibration import labels
from training.config import Config
from training.data import glue, tokens
from training.folders import Folders
from training.metrics.glue import METRICS
from training.metrics.squad import evaluate_squad
from training.metrics.words import evaluate_words
from training.models import build
from training.steps import calibrate
from training.steps.common import device, result
from training.tasks.glue import predict_rows

# Formats in which the weights can be scored.
STORAGES = ("f32", "q8")


def scores_path(config: Config, folders: Folders, storage: str = "f32") -> Path:
    """Return the path of the file with the scores of a run."""
    return folders.run(config.name) / ("scores.json" if storage == "f32" else f"scores-{storage}.json")


def run(config: Config, folders: Folders, storage: str = "f32") -> None:
    """Print one line of JSON and write it to `scores.json` in the run's folder; "q8" rounds the matrices first."""
    directory = result(config, folders)
    model = build.load(directory, config.task, whole=True).to(device()).eval()
    if storage == "q8":
        model.load_state_dict(quantize.rounded(model), strict=False)
    line = json.dumps({"task": config.task, **_scores(model, directory, config, folders)})
    atomic.write_whole(scores_path(config, folders, storage), lambda p: p.write_text(line + "\n"))
    print(line)


def _scores(model, directory: Path, config: Config, folders: Folders) -> dict[str, float]:
    if config.task == "text":
        return evaluate_words(model, config, folders)
    tokenizer = tokens.load(directory)
    calibration = calibrate.read(config, folders).get("calibration", {})
    if config.task == "squad":
        data = config.data
        if data.version == "2.0":
            data = dataclasses.replace(data, null_threshold=calibrate.balanced_threshold(config, folders))
        return evaluate_squad(model, tokenizer, folders, data, calibration)
    rows = glue.read_dev(folders, config.task)
    logits = predict_rows(model, tokens.encode_rows(tokenizer, rows, config.data.max_length))
    predictions = logits[:, 0] if logits.shape[1] == 1 else logits.argmax(1)
    truths = np.array([row.label for row in rows])
    scores = {"n": len(rows), **METRICS[config.task](predictions, truths)}
    if config.task == "sst2":
        for name, temperature in (("plain", 1.0), ("calibrated", calibration.get("temperature", 1.0))):
            scores[f"calibration_error_{name}"] = labels.error(labels.positive(logits, temperature), truths)
    return scores
