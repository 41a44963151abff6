"""Accuracy of single-text classification on the whole dev set."""

from pathlib import Path

from training import confidence, engine
from training.config import Config
from training.data import glue
from training.folders import Folders
from training.scoring.examples import escape, pick, verdict


def lines(config: Config, folders: Folders, program: engine.Engine, shipped: Path, source: Path) -> list[str]:
    """Scores of the shipped model and of its source, and examples."""
    rows, names = glue.read_dev(folders, config.task), glue.label_names(config.task)
    truths = [names[int(row.label)] for row in rows]
    results = {}
    for dtype, model in (("q8, as shipped", shipped), ("f16", source)):
        classified = program.classify(model, [row.first.strip() for row in rows])
        results[dtype] = [result["labels"][0] for result in classified]
    card = ["## Scores", "", f"Whole dev set ({len(rows)} texts), scored with this project's engine:", ""]
    card += ["| weights | accuracy | 95 % interval (Wilson) |", "|---|---|---|"]
    for dtype, guesses in results.items():
        hits = sum(guess["label"] == truth for guess, truth in zip(guesses, truths, strict=True))
        low, high = confidence.wilson(hits, len(rows))
        card.append(f"| {dtype} | {100 * hits / len(rows):.2f} | {low:.1f} to {high:.1f} |")
    guesses = results["q8, as shipped"]
    right = [guess["label"] == truth for guess, truth in zip(guesses, truths, strict=True)]
    card += ["", "## Ten examples", "", "| text | label | prediction | probability | |", "|---|---|---|---|---|"]
    for i in pick(right, config.seed):
        guess = guesses[i]
        cells = (rows[i].first.strip(), truths[i], guess["label"], f"{guess['probability']:.2f}", verdict(right[i]))
        card.append(f"| {' | '.join(map(escape, cells))} |")
    return [*card, ""]
