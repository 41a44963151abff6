"""Rule-based unanswerable questions; rules that don't apply change nothing."""

import numpy as np
import pytest

from training.config import Config, Data, build, check
from training.data import squad, tokens
from training.data.unanswerable import kinds, mentions, questions, sentences
from training.data.variants import Variants
from training.errors import TrainingError
from training.tests.conftest import tiny

PASSAGE = (
    "Dr. Ada Byron met Charles Babbage in London in 1833. He had begun the Difference Engine in 1822. "
    'The work cost 17,000 pounds! It was "never finished." Joseph Clement went to Paris in March.'
)


def random(seed=4):
    return np.random.default_rng(seed)


def test_abbreviations_do_not_end_sentences():
    found = [PASSAGE[a:b] for a, b in sentences.spans(PASSAGE)]
    assert [s.split()[0] for s in found] == ["Dr.", "He", "The", "It", "Joseph"]
    lines = "one\ntwo. three\n"
    assert [lines[a:b] for a, b in sentences.spans(lines)] == ["one", "two. three"]


def test_sentences_with_the_answer_are_removed():
    kept = sentences.without("It rained. The cat sat. A CAT ran. Dogs slept.", "cat")
    text = "It rained. The cat sat. A CAT ran. Dogs slept."
    assert [text[a:b] for a, b in kept] == ["It rained.", "Dogs slept."]
    assert sentences.without("The cat sat.", "cat") is None
    assert sentences.without("It rained. Dogs slept.", "rained. Dogs") is None


def test_mentions_are_classified():
    found = {m.text: m.kind for m in mentions.find(PASSAGE)}
    assert found == {
        "Ada Byron": "name",
        "Charles Babbage": "name",
        "London": "place",
        "1833": "year",
        "Difference Engine": "name",
        "1822": "year",
        "17,000": "number",
        "Joseph Clement": "name",
        "Paris": "place",
        "March": "month",
    }


def test_swap_uses_a_mention_of_the_same_kind_from_another_sentence():
    asked = "What did Charles Babbage begin in 1822?"
    start = PASSAGE.index("Difference Engine")
    found = {questions.swapped(asked, PASSAGE, start, "Difference Engine", np.random.default_rng(i)) for i in range(40)}
    assert found == {
        "What did Charles Babbage begin in 1833?",
        "What did Ada Byron begin in 1822?",
        "What did Joseph Clement begin in 1822?",
    }


def test_first_word_of_a_sentence_is_not_part_of_a_name():
    passage = "In Great Britain it rained. The Roman Empire fell. Was Ada's engine there?"
    found = {m.text: m.kind for m in mentions.find(passage)}
    assert found == {"Great Britain": "place", "Roman Empire": "name", "Ada": "name"}


def test_question_without_a_mention_from_the_passage_is_not_swapped():
    assert questions.swapped("What did Alan Turing begin?", PASSAGE, 60, "Difference Engine", random()) is None


@pytest.mark.parametrize(
    ("asked", "negated"),
    [
        ("When was it built?", "When wasn't it built?"),
        ("What did they do?", "What didn't they do?"),
        ("What is not there?", None),
        ("Who won?", None),
    ],
)
def test_the_first_auxiliary_is_negated(asked, negated):
    assert questions.negated(asked) == negated


def test_word_is_replaced_by_its_opposite():
    either = ("Who lost the first race?", "Who won the last race?")
    assert questions.opposed("Who won the first race?", "", random()) in either
    assert questions.opposed("Any majority?", "", random()) == "Any minority?"
    assert questions.opposed("Majority?", "", random()) == "Minority?"
    assert questions.opposed("Who sat?", "", random()) is None


def test_verb_is_not_taken_for_its_homonym():
    assert questions.opposed("How long did the game last?", "first", random()) is None
    assert questions.opposed("How long did it last for them?", "", random()) is None
    assert questions.opposed("Where did they land?", "", random()) is None
    assert questions.opposed("How long did the last game last?", "", random()) == "How long did the first game last?"


def test_question_about_the_year_does_not_become_one_about_the_decade():
    assert questions.opposed("In what year was it seen?", "a decade", random()) is None
    assert questions.opposed("How much is used each day?", "a week", random()) == "How much is used each week?"


def test_part_of_a_compound_is_not_replaced():
    assert questions.opposed("How many are foreign-born?", "", random()) is None


def test_words_from_the_passage_are_preferred():
    rewritten = {questions.opposed("Which river is it?", "An Island and a river.", random(seed)) for seed in range(20)}
    assert rewritten == {"Which island is it?"}
    assert len({questions.opposed("Which river is it?", "A river.", random(seed)) for seed in range(60)}) == 5


def test_no_word_is_its_own_opposite():
    for word, others in questions.PARTNERS.items():
        assert others and word not in others
        assert len(set(others)) == len(others)


def variants(world, **shares):
    data = squad.read_train(world, skip_ambiguous=False)
    tokenizer = tokens.load(world.models / "tiny-squad")
    windows = squad.Windows(tokenizer, data, 64, 32, 12)
    answered = [w for w in windows.windows if w.end]
    return Variants(tokenizer, windows, answered, build(Data, {"max_length": 64, **shares}, "here")), windows, answered


def test_kinds_are_drawn_by_the_configured_fractions(world):
    examples, _, answered = variants(world, mismatch=0.2, unanswerable={"neighbor": 0.3})
    drawn, source = [], random()
    for _ in range(40):
        drawn += [examples.draw(w, source) for w in answered]
    share = {kind: np.mean([e.kind == kind for e in drawn]) for kind in ("foreign", "neighbor", "plain")}
    assert share == pytest.approx({"foreign": 0.2, "neighbor": 0.3, "plain": 0.5}, abs=0.06)
    for example in drawn:
        assert len(example.encoded) <= 64
        assert example.use_teacher == (example.kind == "plain") == (example.start > 0)


def test_training_and_calibration_know_every_configured_kind():
    tables = (kinds.PAIRINGS, kinds.REWORDINGS, kinds.REMOVALS)
    assert sorted(kind for table in tables for kind in table) == sorted(kinds.fractions(Data()))


def test_neighbors_are_from_an_adjacent_paragraph(world):
    examples, windows, answered = variants(world, unanswerable={"neighbor": 0.5})
    data = windows.data
    for window in answered:
        paragraph = data.questions[window.question].paragraph
        example = examples.make("neighbor", window, random())
        asked = example.encoded.ids[1 : example.encoded.types.index(1) - 1]
        near = [windows.questions[i] for i, q in enumerate(data.questions) if abs(q.paragraph - paragraph) == 1]
        # It may have been truncated to fit in the window.
        assert asked in [question[: len(asked)] for question in near]


def test_removed_answer_is_not_in_the_window(world):
    data = squad.Squad(
        ["w1 w2 w3. W4 w5 w6. " + "W7 w8 w9 w10 w11 w12. " * 5],
        [0],
        [squad.Question("q", "w20", 0, ((12, "w5"),))],
    )
    tokenizer = tokens.load(world.models / "tiny-squad")
    windows = squad.Windows(tokenizer, data, 64, 32, 12)
    (window,) = windows.windows
    examples = Variants(tokenizer, windows, [window], Data(max_length=64))
    example = examples.make("removed", window, random())
    assert 1005 in windows.encoded(window).ids and 1005 not in example.encoded.ids
    assert 1004 not in example.encoded.ids and 1003 in example.encoded.ids and 1007 in example.encoded.ids


@pytest.mark.parametrize("shares", [{"removed": -0.1}, {"removed": 0.5, "swapped": 0.5}])
def test_invalid_fractions_are_rejected(shares):
    config = tiny("shares", task="squad", data={"unanswerable": shares})
    assert isinstance(config, Config)
    with pytest.raises(TrainingError, match="their sum must be below 1"):
        check(config, "here")
