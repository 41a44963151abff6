"""The official metrics for question answering on whole dev sets."""

import json
from pathlib import Path

from training import confidence, engine
from training.config import Config
from training.data.squad import read_dev
from training.folders import Folders
from training.metrics import squad
from training.scoring.examples import escape, pick, verdict
from training.steps import calibrate


def lines(config: Config, folders: Folders, program: engine.Engine, shipped: Path, source: Path) -> list[str]:
    """Scores of the shipped model and of its source, and examples."""
    data = folders.data_file("squad", "dev-v1.1.json")
    questions = read_dev(folders, "1.1").questions
    card = [
        "## Scores",
        "",
        f"SQuAD v1.1, whole dev set ({len(questions)} questions), scored with this project's engine:",
        "",
    ]
    card += ["| weights | exact match | F1 | 95 % interval of F1 (bootstrap) |", "|---|---|---|---|"]
    answers: dict[str, str] = {}
    for dtype, model in (("f16", source), ("q8, as shipped", shipped)):
        scores, answers = program.answers(model, data, "1.1", folders.run(config.name) / "predictions.json")
        each = [max(squad.f1(answers.get(q.id, ""), t) for _, t in q.answers) for q in questions]
        low, high = (100 * end for end in confidence.bootstrap(each))
        figures = f"{scores['exact_match']:.2f} | {scores['f1']:.2f} | {low:.1f} to {high:.1f}"
        card.append(f"| {dtype} | {figures} |")
    card += _unanswerable(config, folders, program, shipped)
    right = [any(squad.exact(answers.get(q.id, ""), t) for _, t in q.answers) for q in questions]
    card += ["", "## Ten examples", "", "| question | correct answer | prediction | |", "|---|---|---|---|"]
    for i in pick(right, config.seed):
        cells = (questions[i].text, questions[i].answers[0][1], answers.get(questions[i].id, ""), verdict(right[i]))
        card.append(f"| {' | '.join(map(escape, cells))} |")
    return [*card, ""]


def _unanswerable(config: Config, folders: Folders, program: engine.Engine, shipped: Path) -> list[str]:
    path = calibrate.path(config, folders)
    if not path.is_file():
        return []
    figures = json.loads(path.read_text(encoding="utf-8"))
    threshold, kinds = figures["balanced_threshold"], [kind for kind in figures.get("found", {}) if kind != "plain"]
    data = folders.data_file("squad", "dev-v2.0.json")
    scores, _ = program.answers(shipped, data, "2.0", folders.run(config.name) / "predictions-2.0.json", threshold)
    # A file may have only one of the two kinds of questions.
    names = ("exact_match", "f1", "HasAns_exact", "HasAns_f1", "NoAns_exact", "NoAns_f1")
    cells = [f"{scores[name]:.2f}" if name in scores else "" for name in names]
    shown = f"{threshold:.2f}"
    return [
        "",
        f"SQuAD v2.0, whole dev set ({scores['n']} questions), with the weights as shipped. They were not trained on",
        'any of it. The model predicts "no answer" if its score exceeds that of the best answer by more than',
        f"{shown} (`mobilebert eval squad --version 2.0 --null-threshold={shown}`). This threshold was fitted",
        "beforehand on training questions, half of which were made unanswerable",
        f"(see `training/data/unanswerable`: {', '.join(kinds) or 'foreign'}). The page, the package and",
        f"`mobilebert answer` use {figures['calibration']['null_threshold']:.2f} instead, which suits a third of the",
        "questions having no answer.",
        "",
        "| exact match | F1 | with an answer: exact match | F1 | without: exact match | F1 |",
        "|---|---|---|---|---|---|",
        f"| {' | '.join(cells)} |",
    ]
