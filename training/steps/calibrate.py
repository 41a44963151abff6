"""Fix the threshold of "no answer" on changed training questions, before any v2.0 figure is looked at."""

import json

import numpy as np

from training import calibrate, checkpoint
from training.config import Config
from training.data import squad, tokens
from training.errors import TrainingError
from training.metrics.squad import answers
from training.models import build
from training.places import Places
from training.steps.common import device, result

COUNT = 2000


def run(config: Config, places: Places) -> None:
    """Leave `null.json` in the run's folder; `evaluate` with version 2.0 reads it."""
    if config.task != "squad":
        raise TrainingError(f"{config.name}: 'task' must be squad to calibrate")
    directory = result(config, places)
    model = build.load(directory, "squad", whole=True).to(device()).eval()
    data = squad.read_train(places, config.data.skip_ambiguous)
    made = calibrate.pairs(data, config.data.limit or COUNT, config.seed, config.data)
    settings = config.data
    windows = squad.Windows(
        tokens.load(directory), made.data, settings.max_length, settings.doc_stride, settings.max_question
    )
    found = answers(model, windows)
    differences = np.array([found[q.id].null - found[q.id].score for q in made.data.questions])
    cut, right = calibrate.threshold(differences, made.answerable)
    figures = {
        "null_threshold": cut,
        "right": right,
        "pairs": len(differences),
        "near": config.data.near,
        "found": calibrate.found(differences, made, cut),
    }
    path = places.run(config.name) / "null.json"
    checkpoint.write_whole(path, lambda p: p.write_text(json.dumps(figures) + "\n"))
    print(json.dumps(figures))
