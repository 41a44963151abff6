"""SQuAD: paragraphs, questions, and windows of `[CLS] question [SEP] part of the paragraph [SEP]`.

Offsets count Unicode code points, as in the files and in the tokenizer's output.
"""

import gzip
import json
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
    unsure = _ambiguous(folders)
    return Squad(data.paragraphs, data.articles, [q for q in data.questions if q.id not in unsure])


def read_ambiguous(folders: Folders) -> Squad:
    """Read the training questions left out by `skip_ambiguous`, which can be used to evaluate models."""
    data, unsure = parse(folders.data_file("squad", "train-v1.1.json.gz")), _ambiguous(folders)
    return Squad(data.paragraphs, data.articles, [q for q in data.questions if q.id in unsure])


def _ambiguous(folders: Folders):
    return _json(folders.data_file("squad", "train-v1.1.ambiguous.json.gz"))


def read_dev(folders: Folders, version: str) -> Squad:
    """Read a dev file, for scoring only; no training step calls this."""
    return parse(folders.data_file("squad", f"dev-v{version}.json"))


def parse(path: Path) -> Squad:
    """Read a file and check that every answer is at its stated position."""
    paragraphs, articles, questions = [], [], []
    try:
        for number, article in enumerate(_json(path)["data"]):
            for paragraph in article["paragraphs"]:
                text = paragraph["context"]
                for qa in paragraph["qas"]:
                    answers = tuple((int(a["answer_start"]), a["text"]) for a in qa["answers"])
                    for start, answer in answers:
                        if text[start : start + len(answer)] != answer:
                            raise TrainingError(f"{path}: question {qa['id']}: '{answer}' not found at {start}")
                    questions.append(Question(qa["id"], qa["question"], len(paragraphs), answers))
                paragraphs.append(text)
                articles.append(number)
    except (KeyError, TypeError) as error:
        raise TrainingError(f"{path}: not in SQuAD's format: {type(error).__name__} {error}") from None
    return Squad(paragraphs, articles, questions)


def _json(path: Path):
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as file:
            return json.load(file)
    except (json.JSONDecodeError, UnicodeDecodeError, gzip.BadGzipFile, EOFError) as error:
        raise TrainingError(f"{path}: not valid JSON: {error}") from None


@dataclass(frozen=True)
class Window:
    """A range of a paragraph's tokens for one question, and the answer's position in the complete sequence."""

    question: int
    first: int
    count: int
    start: int  # 0: no answer in this window
    end: int


class Windows:
    """Tokenized paragraphs and questions, split into windows."""

    def __init__(self, tokenizer, data: Squad, max_length: int, doc_stride: int, max_question: int):
        self.data = data
        self.questions = [q[:max_question] for q in tokens.pieces(tokenizer, [q.text.strip() for q in data.questions])]
        found = tokenizer.encode_batch(data.paragraphs, add_special_tokens=False)
        self.pieces = [e.ids for e in found]
        self.offsets = [e.offsets for e in found]
        self.windows: list[Window] = []
        for number in range(len(data.questions)):
            self._cut(number, max_length, doc_stride)

    def state(self) -> dict[str, torch.Tensor]:
        """Return the tokens and windows as flat tensors, for `restored`."""
        found = {"windows": torch.tensor([(w.question, w.first, w.count, w.start, w.end) for w in self.windows])}
        for name in ("questions", "pieces", "offsets"):
            lists = getattr(self, name)
            found[name] = torch.tensor([value for one in lists for value in one])
            found[f"{name}.lengths"] = torch.tensor([len(one) for one in lists])
        return found

    @classmethod
    def restored(cls, data: Squad, state: dict[str, torch.Tensor]) -> "Windows":
        """Restore the windows of `data` from a saved `state`."""
        self = cls.__new__(cls)
        self.data = data
        for name in ("questions", "pieces", "offsets"):
            flat, place, lists = state[name].tolist(), 0, []
            for length in state[f"{name}.lengths"].tolist():
                lists.append(flat[place : place + length])
                place += length
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
        inside = [i for i, (a, b) in enumerate(offsets) if b > start and a < start + len(text)]
        return (inside[0], inside[-1]) if inside else None

    def encoded(self, window: Window, question: int | None = None) -> tokens.Encoded:
        """The token ids of a window, optionally with another `question` about the same part of the paragraph."""
        paragraph = self.data.questions[window.question].paragraph
        asked = self.questions[window.question if question is None else question]
        part = self.pieces[paragraph][window.first : window.first + window.count]
        ids = [tokens.CLS, *asked, tokens.SEP, *part, tokens.SEP]
        head = len(asked) + 2
        return tokens.Encoded(ids, [0] * head + [1] * (len(ids) - head))

    def length(self, window: Window) -> int:
        """Number of tokens in the window, including special tokens."""
        return len(self.questions[window.question]) + window.count + 3
