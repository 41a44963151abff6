"""The examples made from an answerable window: unchanged, without an answer, or replaced by an everyday text."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.config import Data
from training.data import everyday, tokens
from training.data.squad import Window, Windows
from training.data.unanswerable import kinds

# Windows with fewer tokens than this after removing the answer are too short for a question.
LEAST_PIECES = 24


@dataclass(frozen=True)
class Example:
    """One row of a batch; both ends are 0 if there is no answer. `use_teacher`: whether its labels are used."""

    encoded: tokens.Encoded
    start: int
    end: int
    use_teacher: bool
    kind: str


class Variants:
    """Makes examples of kinds drawn by the configured fractions."""

    def __init__(self, tokenizer, windows: Windows, answered: Sequence[Window], data: Data):
        self.tokenizer, self.windows, self.data = tokenizer, windows, data
        fractions = {"everyday": data.everyday, **kinds.fractions(data)}
        self.kinds = [(kind, fraction) for kind, fraction in fractions.items() if fraction > 0]
        self.pairings = {
            kind: make(windows.data, [w.question for w in answered], data.near)
            for kind, make in kinds.PAIRINGS.items()
            if fractions[kind] > 0
        }

    def draw(self, window: Window, random: np.random.Generator) -> Example:
        """An example of a randomly drawn kind; the window is unchanged if that kind can't be applied to it."""
        position = random.random()
        for kind, fraction in self.kinds:
            if position < fraction:
                return self.make(kind, window, random) or self.plain(window)
            position -= fraction
        return self.plain(window)

    def plain(self, window: Window) -> Example:
        """The window with its own question and answer."""
        return Example(self.windows.encoded(window), window.start, window.end, True, "plain")

    def make(self, kind: str, window: Window, random: np.random.Generator) -> Example | None:
        """An example of one kind, or None if that kind can't be applied to the window."""
        if kind == "everyday":
            return self.everyday(random)
        question = self.windows.data.questions[window.question]
        passage = self.windows.data.paragraphs[question.paragraph]
        if kind in kinds.PAIRINGS:
            number = self.pairings[kind].question_for(question.paragraph, random)
            encoded = None if number is None else self._ask(window, self.windows.questions[number])
        elif kind in kinds.REWORDINGS:
            encoded = self._reword(window, kinds.REWORDINGS[kind](question, passage, random))
        else:
            encoded = self._shorten(window, kinds.REMOVALS[kind](question, passage))
        return None if encoded is None else Example(encoded, 0, 0, False, kind)

    def everyday(self, random: np.random.Generator) -> Example:
        """An everyday text; only hard labels are used, since the teacher has only seen encyclopedia articles."""
        drawn = everyday.draw(random)
        context = self.tokenizer.encode(drawn.text, add_special_tokens=False)
        question_ids = tokens.pieces(self.tokenizer, [drawn.question])[0][: self.data.max_question]
        context_ids = context.ids[: self.data.max_length - len(question_ids) - 3]
        offsets = context.offsets[: len(context_ids)]
        answer = [i for i, (a, b) in enumerate(offsets) if b > drawn.start and a < drawn.end]
        shift = len(question_ids) + 2
        # An answer that was truncated with the text counts as no answer.
        is_whole = answer and offsets[answer[-1]][1] >= drawn.end
        start, end = (answer[0] + shift, answer[-1] + shift) if is_whole else (0, 0)
        return Example(self._assemble(question_ids, context_ids), start, end, False, "everyday")

    def _shorten(self, window: Window, kept: list[tuple[int, int]] | None) -> tokens.Encoded | None:
        if kept is None:
            return None
        paragraph = self._paragraph(window)
        offsets, pieces = self.windows.offsets[paragraph], self.windows.pieces[paragraph]
        context_ids = [pieces[i] for i in range(window.first, window.first + window.count) if _within(offsets[i], kept)]
        if len(context_ids) < LEAST_PIECES:
            return None
        return self._assemble(self.windows.questions[window.question], context_ids)

    def _reword(self, window: Window, text: str | None) -> tokens.Encoded | None:
        if text is None:
            return None
        return self._ask(window, tokens.pieces(self.tokenizer, [text.strip()])[0][: self.data.max_question])

    def _ask(self, window: Window, question_ids: list[int]) -> tokens.Encoded:
        # Another question may be longer than the one that the window was made for, so it is truncated to fit.
        room = max(len(self.windows.questions[window.question]), self.data.max_length - window.count - 3)
        pieces = self.windows.pieces[self._paragraph(window)]
        return self._assemble(question_ids[:room], pieces[window.first : window.first + window.count])

    def _paragraph(self, window: Window) -> int:
        return self.windows.data.questions[window.question].paragraph

    def _assemble(self, question_ids: list[int], context_ids: list[int]) -> tokens.Encoded:
        return tokens.assemble(question_ids, context_ids, self.data.max_length)


def _within(offset: tuple[int, int], spans: list[tuple[int, int]]) -> bool:
    return any(a <= offset[0] and offset[1] <= b for a, b in spans)
