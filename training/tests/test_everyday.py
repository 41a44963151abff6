"""Everyday texts and the positions of their answers."""

from functools import partial

import numpy as np
import pytest

from training.config import Data
from training.data import everyday, squad, tokens
from training.data.everyday import facts, notices, page, pairs, tables, values, words
from training.data.variants import Variants
from training.folders import HERE

GENRES = {name: partial(facts.generate, genre) for name, genre in facts.genres().items()}
GENERATORS = {kind.__name__: kind for kind in everyday.KINDS if kind is not facts.text} | GENRES
KINDS = pytest.mark.parametrize("kind", [GENERATORS[name] for name in sorted(GENERATORS)], ids=sorted(GENERATORS))

VISITORS = pairs.Relation([["Ann", "Bea"]], "clock", ["{x} comes at {a}, {y} at {b}."], ["When does {x} come?"])
ANIMALS = ("cats", "dogs", "hens", "goats", "cows", "ducks", "geese", "pigs", "bees", "mice")


def _farm() -> facts.Genre:
    fact_tables = [
        {"says": [f"{{who}} has {{n:count}} {animal}."], "asks": {"n": [f"How many {animal} has {{who}}?"]}}
        for animal in ANIMALS
    ]
    return facts.Genre({"who": "person"}, ["About {who} "], fact_tables)


@KINDS
def test_marks_point_to_their_values(kind):
    for seed in range(30):
        generated = kind(np.random.default_rng(seed))
        assert "{" not in generated.text and "}" not in generated.text
        for question, name in generated.questions:
            start, end = generated.spans[name]
            answer = generated.text[start:end]
            assert answer and answer.strip() == answer, (question, answer)
            assert "{" not in question
        assert generated.missing and not set(generated.missing) & {question for question, _ in generated.questions}


@KINDS
def test_every_question_has_one_answer(kind):
    for seed in range(30):
        generated = kind(np.random.default_rng(seed))
        asked = [question for question, _ in generated.questions]
        assert len(set(asked)) == len(asked)


@KINDS
def test_seed_determines_text_and_question(kind):
    one, other = (kind(np.random.default_rng(3)).draw(np.random.default_rng(8)) for _ in range(2))
    assert one == other


def test_perturbation_keeps_answer_positions():
    changed = 0
    for seed in range(300):
        random = np.random.default_rng(seed)
        generated = page.pick(everyday.KINDS, random)(random)
        text = page.perturb(generated.text, random)
        changed += text != generated.text
        assert " ".join(text.lower().split()) == " ".join(generated.text.lower().split())
        for start, end in generated.spans.values():
            assert text[start:end].lower().split() == generated.text[start:end].lower().split()
    assert 100 < changed < 300


def test_questions_about_omitted_facts_have_no_answer():
    genre = _farm()
    for seed in range(40):
        generated = facts.generate(genre, np.random.default_rng(seed))
        who = generated.text.splitlines()[0].removeprefix("About ").split()[0]
        for animal in ANIMALS:
            question = f"How many {animal} has {who}?"
            assert (question in dict(generated.questions)) == (animal in generated.text)
            assert (question in generated.missing) == (animal not in generated.text)


def test_values_in_a_text_differ():
    for seed in range(60):
        generated = facts.generate(facts.genres()["company"], np.random.default_rng(seed))
        asked = [place for name, place in generated.spans.items() if name.endswith(("y1", "y2", "boss", "chief"))]
        answers = [generated.text[start:end] for start, end in asked]
        assert len(set(answers)) == len(answers)


def test_pairs_have_their_own_values_and_others_the_usual_one():
    tea = pairs.Relation(
        of=[["hot", "cold", "sweet"]],
        value="amount",
        about=["the tea"],
        says=["{about} costs {a} {x} and {b} {y}."],
        asks=["How much is {about} {x}?"],
        usually=["{about} costs {a}, {b} {x}."],
        asks_usual=["How much is {about} usually?"],
    )
    seen = set()
    for seed in range(60):
        generated = pairs.generate([tea, VISITORS], np.random.default_rng(seed))
        for question, name in generated.questions:
            if question.startswith("How much"):
                asked, rest = question.removesuffix("?").split()[-1], generated.text[generated.spans[name][1] :]
                seen.add(asked)
                assert rest.startswith("," if asked == "usually" else f" {asked}")
    assert seen == {"hot", "cold", "sweet", "usually"}


def test_pairs_name_a_unit_once_and_mention_all_three():
    post = pairs.Relation(
        of=[["by bus", "by train", "on foot"]],
        value="3 km|5 km|8 km",
        about=["the way"],
        says=["{about} is {a} {x}, {b} {y} and {c} {z}."],
        asks=["How long is {about} {x}?"],
    )
    texts = []
    for seed in range(60):
        generated = pairs.generate([post, VISITORS], np.random.default_rng(seed))
        said = [
            (question, generated.spans[name])
            for question, name in generated.questions
            if question.startswith("How long")
        ]
        for question, (start, end) in said:
            assert generated.text[end:].startswith(
                " " + question.removeprefix("How long is the way ").removesuffix("?")
            )
            texts.append(generated.text[start:end])
    assert {"3 km", "3", "5 km", "5", "8 km", "8"} == set(texts)


def test_units_are_kept_if_another_value_comes_first_or_has_none():
    cases = [
        ("{b} and {a}", ["3 km", "5 km"]),
        ("{a} and {b}", ["warm water", "wax"]),
        ("{a} and {b}", ["3 km", "3 m"]),
    ]
    for template, drawn in cases:
        assert all(pairs._elide_units(template, drawn, np.random.default_rng(seed)) == drawn for seed in range(30))


def test_near_misses_are_asked_about_facts_of_the_text():
    fact_tables = [
        {"says": [f"The {animal} are fed at {{t:clock}}."], "asks": {"t": [f"When are the {animal} fed?"]}}
        | {"missing": [f"What do the {animal} of {{who}} eat?"]}
        for animal in ANIMALS
    ]
    drawn = []
    for seed in range(200):
        random = np.random.default_rng(seed)
        generated = facts.generate(facts.Genre({"who": "person"}, ["About {who} "], fact_tables), random)
        assert generated.near_misses and all(
            question.split()[3] in generated.text for question in generated.near_misses
        )
        asked = generated.draw(random)
        if asked.question.lower().startswith("what do"):
            assert (asked.start, asked.end) == (0, 0)
            drawn.append(asked)
    assert 10 < len(drawn) < 50


def test_article_fits_the_noun_after_it():
    fact = {"says": ["She is a {job:nurse|electrician}."], "asks": {"job": ["What is she?"]}}
    generated = [facts.generate(facts.Genre({}, [], [fact] * 9), np.random.default_rng(seed)).text for seed in range(9)]
    found = {" ".join(part.split()[-3:]) for text in generated for part in text.split(".") if "is" in part}
    assert found == {"is a nurse", "is an electrician"}


def test_departures_at_the_same_time_are_not_asked_about():
    for seed in range(400):
        generated = tables.departures(np.random.default_rng(seed))
        asked = [question for question, _ in generated.questions]
        assert len(set(asked)) == len(asked)


def test_opening_time_that_holds_for_every_day_is_not_called_missing():
    generated = notices.opening(np.random.default_rng(1))
    assert "It opens at" in generated.text
    assert not [question for question in generated.missing if question.removesuffix("?").split()[-1] in words.WEEKDAYS]


def test_unknown_slot_type_is_an_error():
    genre = facts.Genre({}, [], [{"says": ["It costs {price:mony}."], "asks": {"price": ["How much?"]}}] * 9)
    with pytest.raises(KeyError, match="mony"):
        facts.generate(genre, np.random.default_rng(0))


def test_some_questions_have_no_answer():
    random = np.random.default_rng(1)
    drawn = [everyday.draw(random) for _ in range(400)]
    assert np.mean([asked.end == 0 for asked in drawn]) == pytest.approx(page.UNANSWERABLE, abs=0.06)


def test_duplicate_mark_is_rejected():
    generated = page.Page()
    generated.add("{rent}", {"rent": "5"})
    with pytest.raises(ValueError, match="'rent' is marked twice"):
        generated.add("{rent}", {"rent": "6"})


def test_amounts_look_natural():
    random = np.random.default_rng(2)
    clocks = {values.clock(random) for _ in range(300)}
    assert {"12 pm", "12pm"} & clocks and not [c for c in clocks if c.startswith("0")]
    assert not [c for c in clocks if c.startswith(("13", "14", "15")) and c.endswith("m")]


def test_examples_contain_the_tokens_of_the_answer():
    tokenizer = tokens.load(HERE.parent / "models" / "mobilebert-squad")
    data = squad.Squad(["the cat sat on the mat"], [0], [squad.Question("q", "who sat?", 0, ((4, "cat"),))])
    windows = squad.Windows(tokenizer, data, 96, 32, 16)
    examples = Variants(tokenizer, windows, windows.windows, Data(max_length=96, max_question=16, everyday=1.0))
    cut = 0
    for seed in range(200):
        example, asked = examples.everyday(np.random.default_rng(seed)), everyday.draw(np.random.default_rng(seed))
        assert len(example.encoded) <= 96 and not example.use_teacher
        if example.start:
            wanted = tokens.pieces(tokenizer, [asked.text[asked.start : asked.end]])[0]
            assert example.encoded.ids[example.start : example.end + 1] == wanted
        else:
            assert example.end == 0
            cut += asked.end > 0
    # Some texts are longer than the window and lose their last answers.
    assert 0 < cut < 60
