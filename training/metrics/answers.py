"""The answer search used for SQuAD's official metrics, and the probabilities of answers.

The probability of an answer includes the spans that overlap the best one, since they express the same answer.
"""

import collections
import itertools
from typing import NamedTuple

import numpy as np
import torch

from training.config import SpanCosts
from training.data import batches
from training.data.squad import Windows
from training.metrics.calibration import log_sum

MAX_ANSWER = 30


class Prediction(NamedTuple):
    """A model's answer to one question, with the sums that determine its probability at several temperatures."""

    text: str  # of the best answer
    score: float  # of the best answer: start + end
    null: float  # score of no answer, the minimum over the windows
    masses: np.ndarray  # log Σ e^(score / temperature) over the spans that overlap the best answer
    totals: np.ndarray  # likewise, over all spans

    def probabilities(self, temperatures: np.ndarray, null_bias: float | np.ndarray = 0.0) -> np.ndarray:
        """Probability of the answer among all answers and no answer; among answers only if the bias is -inf."""
        return np.exp(self.masses - np.logaddexp(self.totals, self.null / temperatures + null_bias))


def predict(model, windows: Windows, temperatures: np.ndarray, costs: SpanCosts) -> dict[str, Prediction]:
    """Return the model's answers by question id."""
    no_mass = np.full(len(temperatures), -np.inf)
    predictions: dict[str, Prediction] = {}
    has_max_context = max_context(windows)
    for window, start, end in logits(model, windows):
        start, end = deduct(costs, windows, window, start, end)
        scores = span_scores(*mask_logits(windows, window, start, end, has_max_context))
        (span, text), score = best_span(windows, window, scores)
        totals = np.array([log_sum((scores / t).ravel()) for t in temperatures])
        key = windows.data.questions[window.question].id
        old = predictions.get(key, Prediction("", -np.inf, np.inf, no_mass, no_mass))
        masses, chosen = old.masses, (old.text, old.score)
        if score > old.score:
            inside = scores[overlapping(window.count, *span)]
            masses, chosen = np.array([log_sum(inside / t) for t in temperatures]), (text, score)
        null = min(float(start[0] + end[0]), old.null)
        predictions[key] = Prediction(*chosen, null, masses, np.logaddexp(totals, old.totals))
    return predictions


def deduct(costs: SpanCosts, windows: Windows, window, start: np.ndarray, end: np.ndarray):
    """The logits with the costs of a span's length, as in the engine (`src/task/question_answering/costs.rs`)."""
    paragraph = windows.data.questions[window.question].paragraph
    text = windows.data.paragraphs[paragraph]
    offsets = windows.offsets[paragraph][window.first : window.first + window.count]
    between = [costs.token + costs.sentence * ends_sentence(text, *pair) for pair in itertools.pairwise(offsets)]
    head = len(windows.questions[window.question]) + 2
    sums = np.zeros(len(start))
    sums[head + 1 : head + window.count] = np.cumsum(between)
    return start + sums, end - sums


def ends_sentence(text: str, before: tuple[int, int], after: tuple[int, int]) -> bool:
    """Whether a line ends between two adjacent pieces, or a sentence, or the name of a speaker ("Ben: Sure")."""
    gap = text[before[1] : after[0]]
    return "\n" in gap or (gap != "" and text[before[0] : before[1]].endswith((".", "!", "?", ":")))


def span_scores(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Scores indexed by first token and length minus one; -inf for spans that extend past the end."""
    padded = np.concatenate([end, np.full(MAX_ANSWER - 1, -np.inf)])
    return start[:, None] + np.lib.stride_tricks.sliding_window_view(padded, MAX_ANSWER)


def overlapping(count: int, first: int, last: int) -> np.ndarray:
    """Mask of the spans in `span_scores` that share a token with the one from `first` to `last`."""
    starts = np.arange(count)[:, None]
    return (starts <= last) & (starts + np.arange(MAX_ANSWER) >= first)


@torch.no_grad()
def logits(model, windows: Windows, batch_size: int = 16):
    """Every window with its start and end logits, shortest windows first."""
    device = next(model.parameters()).device
    order = sorted(range(len(windows.windows)), key=lambda i: windows.length(windows.windows[i]))
    for i in range(0, len(order), batch_size):
        part = [windows.windows[j] for j in order[i : i + batch_size]]
        batch = batches.pad([windows.encoded(w) for w in part], {}).to(device)
        out = model(**batch.inputs())
        starts, ends = out.start_logits.float().cpu().numpy(), out.end_logits.float().cpu().numpy()
        yield from zip(part, starts, ends, strict=True)


def mask_logits(
    windows: Windows, window, start: np.ndarray, end: np.ndarray, has_max_context
) -> tuple[np.ndarray, np.ndarray]:
    """The logits of the passage's tokens; -inf for starts that have more context in another window."""
    head = len(windows.questions[window.question]) + 2
    passage = slice(head, head + window.count)
    mask = np.array([has_max_context(window, position) for position in range(window.count)], dtype=bool)
    return np.where(mask, start[passage], -np.inf), end[passage]


def best_span(windows: Windows, window, scores: np.ndarray):
    """The best of the spans in `span_scores`; the first of equally good ones.

    Returns ((tokens, text), score), where `tokens` are the first and last token within the window.
    """
    start, more = np.unravel_index(np.argmax(scores), scores.shape)
    tokens, score = (int(start), int(start + more)), float(scores[start, more])
    if score == -np.inf:
        return (tokens, ""), score
    paragraph = windows.data.questions[window.question].paragraph
    offsets = windows.offsets[paragraph]
    first, last = offsets[window.first + tokens[0]][0], offsets[window.first + tokens[1]][1]
    return (tokens, windows.data.paragraphs[paragraph][first:last]), score


def max_context(windows: Windows):
    """A predicate: whether a window, of those of its question, has the most context around its token at a position."""
    by_question: dict[int, list] = collections.defaultdict(list)
    for window in windows.windows:
        by_question[window.question].append(window)

    def context(window, piece: int) -> float:
        return min(piece - window.first, window.first + window.count - 1 - piece) + 0.01 * window.count

    def is_best(window, position: int) -> bool:
        piece = window.first + position
        if len(by_question[window.question]) == 1:
            return True
        others = [other for other in by_question[window.question] if other.first <= piece < other.first + other.count]
        return max(others, key=lambda other: context(other, piece)) is window

    return is_best
