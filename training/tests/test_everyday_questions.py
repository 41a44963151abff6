"""The questions about everyday texts, in SQuAD's format."""

import json
from pathlib import Path

FILE = Path(__file__).parent.parent / "everyday.json"


def questions() -> list[tuple[str, dict]]:
    data = json.loads(FILE.read_text(encoding="utf-8"))["data"]
    paragraphs = [paragraph for article in data for paragraph in article["paragraphs"]]
    return [(paragraph["context"], question) for paragraph in paragraphs for question in paragraph["qas"]]


def test_every_answer_is_at_its_position():
    for context, question in questions():
        for answer in question["answers"]:
            start = answer["answer_start"]
            assert context[start : start + len(answer["text"])] == answer["text"], question["id"]


def test_only_impossible_questions_have_no_answers():
    for _, question in questions():
        assert question["is_impossible"] == (not question["answers"]), question["id"]


def test_some_questions_are_impossible_and_ids_are_unique():
    found = [question for _, question in questions()]
    assert 5 <= sum(question["is_impossible"] for question in found) <= len(found) / 4
    assert len({question["id"] for question in found}) == len(found)
