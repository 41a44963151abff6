"""SQuAD's official figures and the search for the answer that they are reported with."""

import collections
import re
import string
from typing import NamedTuple

import numpy as np
import torch

from training.config import Data
from training.data import batches
from training.data.squad import Squad, Windows, read_dev
from training.metrics.calibration import expected_calibration_error, log_sum, span_total
from training.places import Places

N_BEST, MAX_ANSWER = 20, 30


def normalise(text: str) -> str:
    """Lower case, without punctuation, articles and surplus spaces."""
    text = "".join(c for c in text.lower() if c not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def exact(guess: str, truth: str) -> float:
    """1 where both are the same once normalised."""
    return float(normalise(guess) == normalise(truth))


def f1(guess: str, truth: str) -> float:
    """Overlap of words; with an empty side 1 only where both are empty."""
    given, wanted = normalise(guess).split(), normalise(truth).split()
    if not given or not wanted:
        return float(given == wanted)
    common = sum((collections.Counter(given) & collections.Counter(wanted)).values())
    return 2 * common / (len(given) + len(wanted)) if common else 0.0


def totals(data: Squad, guesses: dict[str, str]) -> dict[str, float]:
    """Exact match and F1 in per cent; where some questions have no answer also the two groups apart."""
    rows = []
    for q in data.questions:
        truths = [t for _, t in q.answers if normalise(t)] or [""]
        guess = guesses.get(q.id, "")
        rows.append((max(exact(guess, t) for t in truths), max(f1(guess, t) for t in truths), bool(q.answers)))
    found = {"n": len(rows), **_mean("", rows)}
    if not all(has for *_, has in rows):
        found |= _mean("HasAns_", [r for r in rows if r[2]]) | _mean("NoAns_", [r for r in rows if not r[2]])
    return found


def _mean(prefix: str, rows: list) -> dict[str, float]:
    count = max(1, len(rows))
    return {
        f"{prefix}exact_match": 100 * sum(r[0] for r in rows) / count,
        f"{prefix}f1": 100 * sum(r[1] for r in rows) / count,
    }


class Found(NamedTuple):
    """What a model says to one question."""

    text: str  # the best answer's
    score: float  # of the best answer: start + end
    null: float  # score of no answer, the lowest of the windows
    total: float  # log Σ e^score over all answers, no answer not among them

    @property
    def probability(self) -> float:
        """Of the best answer, among all answers and no answer."""
        return float(np.exp(self.score - log_sum(np.array([self.total, self.null]))))


@torch.no_grad()
def answers(model, windows: Windows, batch_size: int = 16) -> dict[str, Found]:
    """What the model says, by question id."""
    device = next(model.parameters()).device
    best: dict[str, Found] = {}
    order = sorted(range(len(windows.windows)), key=lambda i: windows.length(windows.windows[i]))
    rank = max_context(windows)
    for i in range(0, len(order), batch_size):
        part = [windows.windows[j] for j in order[i : i + batch_size]]
        batch = batches.pad([windows.encoded(w) for w in part], {}).to(device)
        out = model(**batch.inputs())
        starts, ends = out.start_logits.float().cpu().numpy(), out.end_logits.float().cpu().numpy()
        for row, window in enumerate(part):
            text, score = best_span(windows, window, starts[row], ends[row], rank)
            head = len(windows.questions[window.question]) + 2
            inside = slice(head, head + window.count)
            counted = np.array([rank(window, place) for place in range(window.count)], dtype=bool)
            total = span_total(np.where(counted, starts[row, inside], -np.inf), ends[row, inside], MAX_ANSWER)
            null = float(starts[row, 0] + ends[row, 0])
            key = windows.data.questions[window.question].id
            old = best.get(key, Found("", -np.inf, np.inf, -np.inf))
            chosen = (text, score) if score > old.score else (old.text, old.score)
            best[key] = Found(*chosen, min(null, old.null), log_sum(np.array([total, old.total])))
    return best


def best_span(windows: Windows, window, start: np.ndarray, end: np.ndarray, rank) -> tuple[str, float]:
    """The best span of one window that is short enough and starts where this window sees most around it."""
    head = len(windows.questions[window.question]) + 2
    starts = np.argsort(-start[: head + window.count + 1], kind="stable")[:N_BEST]
    ends = np.argsort(-end[: head + window.count + 1], kind="stable")[:N_BEST]
    found, score = (0, 0), -np.inf
    for s in starts:
        if not head <= s < head + window.count or not rank(window, s - head):
            continue
        for e in ends:
            if s <= e < min(s + MAX_ANSWER, head + window.count) and start[s] + end[e] > score:
                found, score = (s - head, e - head), float(start[s] + end[e])
    if score == -np.inf:
        return "", score
    paragraph = windows.data.questions[window.question].paragraph
    offsets = windows.offsets[paragraph]
    first, last = offsets[window.first + found[0]][0], offsets[window.first + found[1]][1]
    return windows.data.paragraphs[paragraph][first:last], score


def max_context(windows: Windows):
    """A test whether a window is the one of its question that sees most around a piece."""
    groups: dict[int, list] = collections.defaultdict(list)
    for w in windows.windows:
        groups[w.question].append(w)

    def context(w, piece: int) -> float:
        return min(piece - w.first, w.first + w.count - 1 - piece) + 0.01 * w.count

    def is_best(window, place: int) -> bool:
        piece = window.first + place
        if len(groups[window.question]) == 1:
            return True
        others = [w for w in groups[window.question] if w.first <= piece < w.first + w.count]
        return max(others, key=lambda w: context(w, piece)) is window

    return is_best


def evaluate_squad(model, tokenizer, places: Places, data: Data) -> dict[str, float]:
    """Score a dev set; for version 2.0 the configured threshold on (no answer − best answer) decides."""
    squad = read_dev(places, data.version)
    if data.limit:
        chosen = np.random.default_rng(0).permutation(len(squad.questions))[: data.limit]
        squad = Squad(squad.paragraphs, squad.articles, [squad.questions[i] for i in sorted(chosen)])
    windows = Windows(tokenizer, squad, data.max_length, data.doc_stride, data.max_question)
    found = answers(model, windows)
    unsure = data.version == "2.0"
    guesses = {
        key: "" if unsure and one.null - one.score > data.null_threshold else one.text for key, one in found.items()
    }
    scores = totals(squad, guesses)
    if not unsure:
        asked = [q for q in squad.questions if q.id in found]
        right = np.array([max(exact(found[q.id].text, t) for _, t in q.answers) for q in asked])
        said = np.array([found[q.id].probability for q in asked])
        scores["calibration_error"] = expected_calibration_error(said, right)
    return scores
