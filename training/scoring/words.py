"""Accuracy on masked words of books that were not trained on."""

from pathlib import Path

import numpy as np

from training import confidence, engine
from training.config import Config
from training.data import masked, tokens
from training.folders import Folders
from training.scoring.examples import escape, pick, verdict

TOP = 5


def lines(config: Config, folders: Folders, program: engine.Engine, shipped: Path, source: Path) -> list[str]:
    """Scores of the shipped model, of its source and of a constant guess, and examples."""
    drawn = masked.draw(config, folders, tokens.load(source))
    truths = [word for text in drawn for word in text.words]
    count, books = len(truths), ", ".join(config.data.files)
    card = [
        "## Scores",
        "",
        f"{count} masked words in {len(drawn)} paragraphs of `{books}`, scored with this project's engine.",
        "",
    ]
    card += [
        "About every seventh word is masked, if it is a single word piece. `chance` always predicts the most frequent",
        "of these words.",
        "",
        f"| weights | accuracy | 95 % interval (Wilson) | top-{TOP} accuracy |",
        "|---|---|---|---|",
    ]
    guesses: list[list[tuple[int, str]]] = []
    for dtype, model in (("f16", source), ("q4, as shipped", shipped)):
        guesses = [
            candidates for text in program.fill_masks(model, [t.text for t in drawn], TOP) for candidates in text
        ]
        best = sum(candidates[0][0] == truth for candidates, truth in zip(guesses, truths, strict=True))
        top = sum(
            truth in [token for token, _ in candidates] for candidates, truth in zip(guesses, truths, strict=True)
        )
        low, high = confidence.wilson(best, count)
        card.append(f"| {dtype} | {100 * best / count:.1f} % | {low:.1f} to {high:.1f} | {100 * top / count:.1f} % |")
    card.append(f"| chance | {100 * np.bincount(truths).max() / count:.1f} % | | |")
    return [*card, *_examples(config, drawn, guesses), ""]


def _examples(config: Config, drawn: list[masked.MaskedText], guesses: list[list[tuple[int, str]]]) -> list[str]:
    """Predictions for the first mask of some paragraphs, with the words before it."""
    card = ["", "## Ten examples", "", "| text before the mask | word | prediction | |", "|---|---|---|---|"]
    firsts = np.cumsum([0] + [len(text.words) for text in drawn])[:-1]
    right = [guesses[first][0][0] == text.words[0] for first, text in zip(firsts, drawn, strict=True)]
    for i in pick(right, config.seed):
        before = " ".join(drawn[i].text.split("[MASK]")[0].split()[-8:])
        cells = (f"… {before}", drawn[i].written[0], guesses[firsts[i]][0][1], verdict(right[i]))
        card.append(f"| {' | '.join(map(escape, cells))} |")
    return card
