"""SQuAD: paragraphs, questions, and windows of `[CLS] question [SEP] part of the paragraph [SEP]`.

Offsets count Unicode code points, as in the files and in the tokenizer's output.
"""

import gzip
import json
import zlib
from dataclasses import dataclass
from pathlib import Path

import torch

from training.data import tokens
from training.errors import TrainingError
from training.folders import Folders


@dataclass(frozen=True)
class Question:
    """One question; `answers` are (start, text) pairs, empty if the passage has no answer."""

    id: str
    text: str
    paragraph: int
    answers: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Squad:
    """All paragraphs (with the index of their article) and all questions of a file."""

    paragraphs: list[str]
    articles: list[int]
    questions: list[Question]


def read_train(folders: Folders, skip_ambiguous: bool) -> Squad:
    """Read the training file; `skip_ambiguous` leaves out questions whose answer has an ambiguous position."""
    data = parse(folders.data_file("squad", "train-v1.1.json.gz"))
    if not skip_ambiguous:
        return data
    try:
        ambiguous = _ambiguous_ids(folders)
    except TrainingError as error:
        raise TrainingError(f"{error}, or set 'skip_ambiguous' = false in 'data'") from None
    return Squad(data.paragraphs, data.articles, [q for q in data.questions if q.id not in ambiguous])


def read_ambiguous(folders: Folders) -> Squad:
    """Read the training questions left out by `skip_ambiguous`, which can be used to evaluate models."""
    data, ambiguous = parse(folders.data_file("squad", "train-v1.1.json.gz")), _ambiguous_ids(folders)
    return Squad(data.paragraphs, data.articles, [q for q in data.questions if q.id in ambiguous])


def _ambiguous_ids(folders: Folders) -> set[str]:
    path = folders.data_file("squad", "train-v1.1.ambiguous.json.gz")
    starts_by_id = _read_json(path)
    if not isinstance(starts_by_id, dict):
        raise TrainingError(f"{path}: must be an object, {{question id: [starts]}}")
    return set(starts_by_id)


def read_dev(folders: Folders, version: str) -> Squad:
    """Read a dev file, for scoring only; no training step calls this."""
    return parse(folders.data_file("squad", f"dev-v{version}.json"))


def parse(path: Path) -> Squad:
    """Read a file and check that every answer is at its stated position."""
    data = Squad([], [], [])
    number = 0
    try:
        for number, article in enumerate(_read_json(path)["data"]):
            for paragraph in article["paragraphs"]:
                for qa in paragraph["qas"]:
                    answers = tuple((int(answer["answer_start"]), answer["text"]) for answer in qa["answers"])
                    _check_positions(answers, paragraph["context"], f"{path}: question {qa['id']}")
                    data.questions.append(Question(qa["id"], qa["question"], len(data.paragraphs), answers))
                data.paragraphs.append(paragraph["context"])
                data.articles.append(number)
    except (KeyError, TypeError, ValueError) as error:
        reason = f"{type(error).__name__} {error}"
        raise TrainingError(f"{path}: not in SQuAD's format: article {number + 1}: {reason}") from None
    return data


def _check_positions(answers: tuple[tuple[int, str], ...], context: str, where: str) -> None:
    for start, text in answers:
        if start < 0 or context[start : start + len(text)] != text:
            raise TrainingError(
                f"{where}: '{text}' not found at {start}; 'answer_start' counts the characters of the paragraph before "
                "the answer"
            )


def _read_json(path: Path):
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as file:
            return json.load(file)
    except (json.JSONDecodeError, UnicodeDecodeError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise TrainingError(f"{path}: not valid JSON: {error}") from None


@dataclass(frozen=True)
class Window:
    """A range of a paragraph's tokens for one question, and the answer's position in the complete sequence."""

    question: int  # index of the question
    first: int  # index of the first token of the range within the paragraph
    count: int
    start: int  # first token of the answer, counted from [CLS]; 0: no answer in this window
    end: int  # last token of the answer; 0: no answer in this window


class Windows:
    """Tokenized paragraphs and questions, split into windows."""

    def __init__(self, tokenizer, data: Squad, max_length: int, doc_stride: int, max_question: int):
        self.data = data
        self.questions = [q[:max_question] for q in tokens.pieces(tokenizer, [q.text.strip() for q in data.questions])]
        paragraphs = tokenizer.encode_batch(data.paragraphs, add_special_tokens=False)
        self.pieces = [encoding.ids for encoding in paragraphs]
        self.offsets = [encoding.offsets for encoding in paragraphs]
        self.windows: list[Window] = []
        for number in range(len(data.questions)):
            self._cut(number, max_length, doc_stride)

    def state(self) -> dict[str, torch.Tensor]:
        """Return the tokens and windows as flat tensors, for `restored`."""
        state = {"windows": torch.tensor([(w.question, w.first, w.count, w.start, w.end) for w in self.windows])}
        for name in ("questions", "pieces", "offsets"):
            lists = getattr(self, name)
            state[name] = torch.tensor([value for values in lists for value in values])
            state[f"{name}.lengths"] = torch.tensor([len(values) for values in lists])
        return state

    @classmethod
    def restored(cls, data: Squad, state: dict[str, torch.Tensor]) -> "Windows":
        """Restore the windows of `data` from a saved `state`."""
        self = cls.__new__(cls)
        self.data = data
        for name in ("questions", "pieces", "offsets"):
            flat, start, lists = state[name].tolist(), 0, []
            for length in state[f"{name}.lengths"].tolist():
                lists.append(flat[start : start + length])
                start += length
            setattr(self, name, lists)
        self.windows = [Window(*numbers) for numbers in state["windows"].tolist()]
        return self

    def _cut(self, number: int, max_length: int, doc_stride: int) -> None:
        question = self.data.questions[number]
        total = len(self.pieces[question.paragraph])
        room = max_length - len(self.questions[number]) - 3
        span = self._answer_span(question)
        first = 0
        while True:
            count = min(room, total - first)
            start = end = 0
            if span and first <= span[0] and span[1] < first + count:
                shift = len(self.questions[number]) + 2 - first
                start, end = span[0] + shift, span[1] + shift
            self.windows.append(Window(number, first, count, start, end))
            if first + count >= total:
                return
            first += min(doc_stride, room)

    def _answer_span(self, question: Question) -> tuple[int, int] | None:
        if not question.answers:
            return None
        start, text = question.answers[0]
        offsets = self.offsets[question.paragraph]
        overlapping = [i for i, (a, b) in enumerate(offsets) if b > start and a < start + len(text)]
        return (overlapping[0], overlapping[-1]) if overlapping else None

    def encoded(self, window: Window, question: int | None = None) -> tokens.Encoded:
        """The token ids of a window, optionally with another `question` about the same part of the paragraph."""
        paragraph = self.data.questions[window.question].paragraph
        question_ids = self.questions[window.question if question is None else question]
        context_ids = self.pieces[paragraph][window.first : window.first + window.count]
        ids = [tokens.CLS, *question_ids, tokens.SEP, *context_ids, tokens.SEP]
        head = len(question_ids) + 2
        return tokens.Encoded(ids, [0] * head + [1] * (len(ids) - head))

    def length(self, window: Window) -> int:
        """Number of tokens in the window, including special tokens."""
        return len(self.questions[window.question]) + window.count + 3
