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
        shares = {"everyday": data.everyday, **kinds.fractions(data)}
        self.kinds = [(kind, share) for kind, share in shares.items() if share > 0]
        self.pairings = {
            kind: make(windows.data, [w.question for w in answered], data.near)
            for kind, make in kinds.PAIRINGS.items()
            if shares[kind] > 0
        }

    def draw(self, window: Window, random: np.random.Generator) -> Example:
        """An example of a randomly drawn kind; the window is unchanged if that kind can't be applied to it."""
        place = random.random()
        for kind, share in self.kinds:
            if place < share:
                return self.make(kind, window, random) or self.plain(window)
            place -= share
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
        asked = everyday.draw(random)
        text = self.tokenizer.encode(asked.text, add_special_tokens=False)
        question = tokens.pieces(self.tokenizer, [asked.question])[0][: self.data.max_question]
        part = text.ids[: self.data.max_length - len(question) - 3]
        inside = [i for i, (a, b) in enumerate(text.offsets[: len(part)]) if b > asked.start and a < asked.end]
        shift = len(question) + 2
        # An answer that was truncated with the text counts as no answer.
        whole = inside and text.offsets[inside[-1]][1] >= asked.end
        start, end = (inside[0] + shift, inside[-1] + shift) if whole else (0, 0)
        return Example(self._assemble(question, part), start, end, False, "everyday")

    def _shorten(self, window: Window, kept: list[tuple[int, int]] | None) -> tokens.Encoded | None:
        if kept is None:
            return None
        paragraph = self._paragraph(window)
        offsets, pieces = self.windows.offsets[paragraph], self.windows.pieces[paragraph]
        part = [pieces[i] for i in range(window.first, window.first + window.count) if _within(offsets[i], kept)]
        return self._assemble(self.windows.questions[window.question], part) if len(part) >= LEAST_PIECES else None

    def _reword(self, window: Window, text: str | None) -> tokens.Encoded | None:
        if text is None:
            return None
        return self._ask(window, tokens.pieces(self.tokenizer, [text.strip()])[0][: self.data.max_question])

    def _ask(self, window: Window, asked: list[int]) -> tokens.Encoded:
        # Another question may be longer than the one that the window was made for, so it is truncated to fit.
        room = max(len(self.windows.questions[window.question]), self.data.max_length - window.count - 3)
        pieces = self.windows.pieces[self._paragraph(window)]
        return self._assemble(asked[:room], pieces[window.first : window.first + window.count])

    def _paragraph(self, window: Window) -> int:
        return self.windows.data.questions[window.question].paragraph

    def _assemble(self, asked: list[int], part: list[int]) -> tokens.Encoded:
        return tokens.assemble(asked, part, self.data.max_length)


def _within(offset: tuple[int, int], spans: list[tuple[int, int]]) -> bool:
    return any(a <= offset[0] and offset[1] <= b for a, b in spans)
