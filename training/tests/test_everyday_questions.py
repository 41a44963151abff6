"""The questions about everyday texts, in SQuAD's format."""

import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent
FILES = pytest.mark.parametrize("file", [f"everyday{part}.json" for part in ("", "-more", "-rivals", "-unseen")])


def questions(file: str) -> list[tuple[str, dict]]:
    data = json.loads((FOLDER / file).read_text(encoding="utf-8"))["data"]
    paragraphs = [paragraph for article in data for paragraph in article["paragraphs"]]
    return [(paragraph["context"], question) for paragraph in paragraphs for question in paragraph["qas"]]


@FILES
def test_every_answer_is_at_its_position(file):
    for context, question in questions(file):
        for answer in question["answers"]:
            start = answer["answer_start"]
            assert context[start : start + len(answer["text"])] == answer["text"], question["id"]


@FILES
def test_only_impossible_questions_have_no_answers(file):
    for _, question in questions(file):
        assert question["is_impossible"] == (not question["answers"]), question["id"]


@FILES
def test_some_questions_are_impossible_and_ids_are_unique(file):
    found = [question for _, question in questions(file)]
    assert 5 <= sum(question["is_impossible"] for question in found) <= len(found) / 4
    assert len({question["id"] for question in found}) == len(found)
