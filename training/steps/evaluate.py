"""Score a model directory on a dev set with the official metric."""

import json
from pathlib import Path

import numpy as np

from training import quantize
from training.calibration import labels
from training.config import Config
from training.data import glue, tokens
from training.folders import Folders
from training.metrics.glue import METRICS
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
    tokenizer = tokens.load(directory)
    calibrated = calibrate.read(config, folders).get("calibration", {})
    if config.task == "text":
        scores = evaluate_words(model, config, folders)
    elif config.task == "squad":
        from training.metrics.squad import evaluate_squad

        if config.data.version == "2.0":
            config.data.null_threshold = calibrate.balanced_threshold(config, folders)
        scores = evaluate_squad(model, tokenizer, folders, config.data, calibrated)
    else:
        rows = glue.read_dev(folders, config.task)
        logits = predict_rows(model, tokens.encode_rows(tokenizer, rows, config.data.max_length))
        guesses = logits[:, 0] if logits.shape[1] == 1 else logits.argmax(1)
        truths = np.array([r.label for r in rows])
        scores = {"n": len(rows), **METRICS[config.task](guesses, truths)}
        if config.task == "sst2":
            for name, temperature in (("plain", 1.0), ("calibrated", calibrated.get("temperature", 1.0))):
                scores[f"calibration_error_{name}"] = labels.error(labels.positive(logits, temperature), truths)
    path = scores_path(config, folders, storage)
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps({"task": config.task, **scores})
    path.write_text(line + "\n", encoding="utf-8")
    print(line)
