"""Make the directory that the project ships: 8 bits, scored by the engine, with a model card."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np

from training import card, checkpoint, confidence, engine
from training.config import Config
from training.data import glue
from training.data.squad import read_dev
from training.errors import TrainingError
from training.metrics import squad
from training.places import Places
from training.steps import calibrate

# Shown in the card, half of them mistakes.
EXAMPLES = 10


def run(config: Config, places: Places) -> None:
    """Quantise `runs/NAME/export`, score both on the whole dev set, and put the directory into the shipped models."""
    form = glue.FORMATS.get(config.task)
    if config.task != "squad" and (form is None or form.second is not None or form.labels is None):
        raise TrainingError(f"{config.name}: 'ship' scores questions and labels of single texts, not '{config.task}'")
    source = places.run(config.name) / "export"
    if not (source / "config.json").is_file():
        raise TrainingError(f"{source}: no exported model; run the step 'export' of '{config.name}' first")
    program = engine.find()
    made = places.run(config.name) / "shipped"
    shutil.rmtree(made, ignore_errors=True)
    program.quantize(source, "q8", made)
    score = _questions if config.task == "squad" else _classes
    text = card.write(config, places, source, [*score(config, places, program, made, source), *_sums(made)])
    checkpoint.write_whole(made / "README.md", lambda p: p.write_text(text, encoding="utf-8"))
    target = places.shipped / config.name
    checkpoint.replace_folder(made, target)
    print(target)


def _classes(config: Config, places: Places, program: engine.Engine, made: Path, source: Path) -> list[str]:
    rows, names = glue.read_dev(places, config.task), glue.label_names(config.task)
    truths = [names[int(row.label)] for row in rows]
    results = {}
    for dtype, model in (("q8, as shipped", made), ("f16", source)):
        found = program.classify(model, [row.first.strip() for row in rows])
        results[dtype] = [labels["labels"][0] for labels in found]
    lines = ["## Scores", "", f"Whole dev set ({len(rows)} texts), by this project's engine, with 95 % intervals:", ""]
    lines += ["| weights | accuracy | interval (Wilson) |", "|---|---|---|"]
    for dtype, guesses in results.items():
        hits = sum(guess["label"] == truth for guess, truth in zip(guesses, truths, strict=True))
        low, high = confidence.wilson(hits, len(rows))
        lines.append(f"| {dtype} | {100 * hits / len(rows):.2f} | {low:.1f} to {high:.1f} |")
    guesses = results["q8, as shipped"]
    right = [guess["label"] == truth for guess, truth in zip(guesses, truths, strict=True)]
    lines += ["", "## Ten examples", "", "| text | label | says | with probability | |", "|---|---|---|---|---|"]
    for i in pick(right, config.seed):
        guess = guesses[i]
        cells = (rows[i].first.strip(), truths[i], guess["label"], f"{guess['probability']:.2f}", verdict(right[i]))
        lines.append(f"| {' | '.join(map(escape, cells))} |")
    return [*lines, ""]


def _questions(config: Config, places: Places, program: engine.Engine, made: Path, source: Path) -> list[str]:
    data = places.data_file("squad", "dev-v1.1.json")
    questions = read_dev(places, "1.1").questions
    lines = ["## Scores", "", f"SQuAD v1.1, whole dev set ({len(questions)} questions), by this project's engine:", ""]
    lines += ["| weights | exact match | F1 | 95 % interval of F1 (bootstrap) |", "|---|---|---|---|"]
    answers: dict[str, str] = {}
    for dtype, model in (("f16", source), ("q8, as shipped", made)):
        scores, answers = program.answers(model, data, "1.1", places.run(config.name) / "predictions.json")
        each = [max(squad.f1(answers.get(q.id, ""), t) for _, t in q.answers) for q in questions]
        low, high = (100 * end for end in confidence.bootstrap(each))
        figures = f"{scores['exact_match']:.2f} | {scores['f1']:.2f} | {low:.1f} to {high:.1f}"
        lines.append(f"| {dtype} | {figures} |")
    lines += _unanswerable(config, places, program, made)
    right = [any(squad.exact(answers.get(q.id, ""), t) for _, t in q.answers) for q in questions]
    lines += ["", "## Ten examples", "", "| question | answer | says | |", "|---|---|---|---|"]
    for i in pick(right, config.seed):
        cells = (questions[i].text, questions[i].answers[0][1], answers.get(questions[i].id, ""), verdict(right[i]))
        lines.append(f"| {' | '.join(map(escape, cells))} |")
    return [*lines, ""]


def _unanswerable(config: Config, places: Places, program: engine.Engine, made: Path) -> list[str]:
    calibrated = calibrate.path(config, places)
    if not calibrated.is_file():
        return []
    found = json.loads(calibrated.read_text(encoding="utf-8"))
    cut, kinds = found["balanced_threshold"], [kind for kind in found.get("found", {}) if kind != "plain"]
    data = places.data_file("squad", "dev-v2.0.json")
    scores, _ = program.answers(made, data, "2.0", places.run(config.name) / "predictions-2.0.json", cut)
    # A file may lack one of the two kinds of questions.
    names = ("exact_match", "f1", "HasAns_exact", "HasAns_f1", "NoAns_exact", "NoAns_f1")
    figures = [f"{scores[name]:.2f}" if name in scores else "" for name in names]
    return [
        "",
        f'SQuAD v2.0, whole dev set ({scores["n"]} questions), as shipped, none of it trained on. Here "no answer" is',
        f"said where its score less the best answer's is above {cut:.2f} (`mobilebert eval squad --version 2.0",
        f"--null-threshold={cut:.2f}`), fixed beforehand on training questions of which every second one has lost its",
        f"answer (see `training/data/unanswerable`: {', '.join(kinds) or 'foreign'}). The page, the package and",
        "`mobilebert answer` say it as if a third of the questions had no answer, above",
        f"{found['calibration']['null_threshold']:.2f}:",
        "",
        "| exact match | F1 | with an answer: exact match | F1 | without: exact match | F1 |",
        "|---|---|---|---|---|---|",
        f"| {' | '.join(figures)} |",
    ]


def pick(right: list[bool], seed: int) -> list[int]:
    """Examples for the card: right ones, then as many wrong ones, drawn by the seed and not by taste."""
    random, chosen = np.random.default_rng(seed), []
    for wanted in (True, False):
        found = [i for i, value in enumerate(right) if value == wanted]
        chosen += sorted(random.permutation(found)[: EXAMPLES // 2].tolist())
    return chosen


def verdict(right: bool) -> str:
    """Return the mark of an example."""
    return "right" if right else "wrong"


def escape(cell: str) -> str:
    """Text escaped for a Markdown table."""
    return " ".join(cell.replace("|", "\\|").split())


def _sums(folder: Path) -> list[str]:
    lines = ["## Files", "", "| file | bytes | SHA-256 |", "|---|---|---|"]
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        lines.append(f"| {path.name} | {len(content)} | `{hashlib.sha256(content).hexdigest()}` |")
    return [*lines, ""]
