"""Rule-based sentences: their targets, and that held-out sentences don't leak into them."""

import numpy as np
import pytest
import torch

from training import losses
from training.data import glue, opinions, tokens
from training.data.opinions import contrasts, everyday, facts, negations, writing
from training.errors import TrainingError
from training.tasks.sentiment import SentimentBatches, sentiment_terms, split
from training.tests.conftest import tiny

GOOD, BAD = ("moving", "charming", "witty", "fresh"), ("dull", "flat", "tired", "bland")


def rows() -> list[glue.Row]:
    found = []
    for label, words in ((1, GOOD), (0, BAD)):
        for word in words:
            texts = [word, f"very {word}", f"so {word}", f"{word} film", f"a {word} film", f"the film is {word}"]
            texts.append(f"it is , after all , a very {word} film .")
            found += [glue.Row(text, None, float(label)) for text in texts]
    return found


@pytest.fixture(scope="module")
def generator() -> opinions.SentenceGenerator:
    return opinions.SentenceGenerator(
        rows(), ["The river is 40 km long. It was a very moving and charming story. It has two banks."]
    )


def test_negated_adjective_has_the_opposite_target(generator):
    seen = set()
    for seed in range(300):
        sentence = generator.negated(np.random.default_rng(seed))
        good, bad = any(word in sentence.text for word in GOOD), any(word in sentence.text for word in BAD)
        assert good != bad
        frames = negations.NEGATED if sentence.positive in negations.TARGETS.values() else negations.PLAIN
        negated = frames is negations.NEGATED
        assert (sentence.positive > 0.5) == (good != negated), sentence
        seen.add((good, negated))
    assert len(seen) == 4


def test_only_negated_templates_contain_a_negation():
    words = ("not", "n't", "never", "hardly", "anything but", "far from", "neither", "no one")
    assert all(any(word in frame for word in words) for frame in negations.NEGATED)
    assert not any(word in frame.replace("not only", "") for frame in negations.PLAIN for word in words)


def test_clause_after_but_decides():
    assert all(decides == 1 for frame, decides in contrasts.OPPOSITE if " but " in frame or " yet " in frame)
    assert {decides for frame, decides in contrasts.OPPOSITE if "on the other hand" in frame} == {None}


def test_facts_have_no_opinion_words_and_a_neutral_target(generator):
    assert {"moving", "dull"} <= generator.facts.polar.keys()
    for seed in range(300):
        sentence = generator.draw("fact", np.random.default_rng(seed))
        assert sentence.positive == 0.5
        assert "charming story" not in sentence.text


def test_no_phrase_is_both_positive_and_negative():
    for table in (everyday.SAID, everyday.FELT):
        assert not set(table[0]) & set(table[1])
    every = [*everyday.SAID[0], *everyday.SAID[1], *everyday.FELT[0], *everyday.FELT[1], *facts.STATES]
    assert len(set(every)) == len(every)


def test_everyday_spelling_has_no_spaces_before_contractions_and_commas():
    assert writing.natural("it 's n't bad , but i ca n't stay ( now ) .") == "it'sn't bad, but i can't stay (now)."
    assert writing.natural("`` good '' , they said -lrb- twice -rrb- !") == "good, they said twice!"


def test_held_out_sentences_and_their_parts_are_not_trained_on():
    whole = "the plot , like the film , is a mess ."
    given = [glue.Row(text, None, 0.0) for text in (whole, "is a mess", "like the film", "a mess of a film", "mess")]
    held, kept = split(given, 5)
    assert [row.first for row in held] == [whole]
    assert [row.first for row in kept] == ["a mess of a film", "mess"]


def batches(world, **shares) -> SentimentBatches:
    data = {"max_length": 32, "opinions": shares}
    config = tiny("opinions", models={"init": "models:tiny"}, data=data, loss={"soft": 1.0})
    return SentimentBatches(
        config, rows(), tokens.load(world.models / "tiny"), opinions.SentenceGenerator(rows(), ["A fact."])
    )


def test_generated_rows_have_a_probability_and_others_a_label(world):
    one, other = (batches(world, fact=0.3, everyday=0.2).at(4) for _ in range(2))
    assert torch.equal(one.input_ids, other.input_ids)
    generated = ~one.labels["taught"]
    assert 0 < generated.sum() < len(generated)
    assert (one.labels["label"][generated] == -100).all() and (one.labels["label"][~generated] >= 0).all()
    assert torch.allclose(one.labels["wanted"][generated].sum(-1), torch.ones(int(generated.sum())))
    assert one.labels["wanted"][~generated].isnan().all()


def test_loss_of_generated_rows_is_cross_entropy_without_the_teacher(world):
    source = batches(world, fact=0.5)
    batch = source.at(1)
    generated, labels = ~batch.labels["taught"], batch.labels["label"]
    logits = torch.randn(len(generated), 2, generator=torch.Generator().manual_seed(1), requires_grad=True)
    student, teacher = type("Output", (), {"logits": logits}), type("Output", (), {"logits": -logits.detach()})
    terms = sentiment_terms(student, teacher, batch, source.config)
    logs = logits.log_softmax(-1)
    losses_by_row = torch.where(generated, -logs.mean(-1), -logs.gather(1, labels.clamp_min(0)[:, None])[:, 0])
    assert terms["hard"].item() == pytest.approx(losses_by_row.mean().item(), rel=1e-5)
    terms["soft"].backward()
    assert (logits.grad[generated] == 0).all() and (logits.grad[~generated] != 0).any()


def test_rows_without_a_probability_are_ignored():
    logits = torch.tensor([[0.0, 0.0], [9.0, 1.0]])
    targets = torch.tensor([[0.5, 0.5], [torch.nan, torch.nan]])
    assert losses.target_probabilities(logits, targets).item() == pytest.approx(np.log(2))
    assert losses.target_probabilities(logits, torch.full((2, 2), torch.nan)).item() == 0.0


def test_rows_without_adjectives_are_rejected_only_for_kinds_that_need_them():
    given = [row for row in rows() if " " in row.first]
    generator = opinions.SentenceGenerator(given, ["A fact."])
    generator.check(["fact", "everyday", "sentence"])
    with pytest.raises(TrainingError, match="'negated' in 'data.opinions' requires positive and negative adjectives"):
        generator.check(["negated"])
