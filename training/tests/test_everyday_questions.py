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


def test_a_question_has_answers_unless_it_is_marked_as_having_none():
    for _, question in questions():
        assert question["is_impossible"] == (not question["answers"]), question["id"]


def test_some_questions_have_no_answer_and_no_two_have_the_same_id():
    found = [question for _, question in questions()]
    assert 5 <= sum(question["is_impossible"] for question in found) <= len(found) / 4
    assert len({question["id"] for question in found}) == len(found)
