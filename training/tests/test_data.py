"""Reading and batching, and the files that training must not read."""

import lzma

import numpy as np
import pytest
import torch
from transformers.utils import ModelOutput

from training import tensors
from training.data import batches, corpus, glue, packed, squad, tokens
from training.errors import TrainingError
from training.folders import Folders
from training.steps import corpus as corpus_step
from training.steps import evaluate, finetune, pretrain, teacher, transfer
from training.tasks.packed import held_out_score
from training.tasks.squad import SquadBatches, open_windows, squad_terms
from training.tasks.text import mask_words
from training.tests.conftest import tiny


def test_order_uses_every_example_once_per_epoch_and_sorts_by_length():
    lengths = np.random.default_rng(0).integers(3, 60, size=1000).tolist()
    order = batches.Order(lengths, 10, seed=7)
    epoch = [order.step(i) for i in range(100)]
    assert sorted(np.concatenate(epoch)) == list(range(1000))
    padded = sum(max(lengths[i] for i in b) * len(b) for b in epoch)
    assert padded < 1.1 * sum(lengths)
    again = batches.Order(lengths, 10, seed=7)
    assert np.array_equal(again.step(137), order.step(137))
    assert not np.array_equal(order.step(0), order.step(100))


def test_long_pairs_are_truncated_longest_first():
    pair = tokens.assemble([1] * 20, [2] * 5, 16)
    assert pair.ids == [tokens.CLS, *[1] * 8, tokens.SEP, *[2] * 5, tokens.SEP]
    assert pair.types == [0] * 10 + [1] * 6


def test_tokenizer_neither_truncates_nor_pads(world):
    tokenizer = tokens.load(world.models / "tiny")
    assert tokens.pieces(tokenizer, ["w1 " * 40, "w2"]) == [[1001] * 40, [1002]]


@pytest.mark.parametrize("task", sorted(glue.FORMATS))
def test_formats_are_read(tmp_path, task):
    form = glue.FORMATS[task]
    cells = ["x"] * form.columns
    cells[form.first], cells[form.label] = '"quoted" text ', "2.5" if form.labels is None else list(form.labels)[1]
    if form.second is not None:
        cells[form.second] = "other"
    header = "\ufeff" + "\t".join(["h"] * form.columns) + "\n" if form.header else ""
    path = tmp_path / "train.tsv"
    path.write_text(header + "\t".join(cells) + "\n", encoding="utf-8")
    (row,) = glue.parse(path, form)
    assert row.first == '"quoted" text'
    assert row.second == (None if form.second is None else "other")
    assert row.label == (2.5 if form.labels is None else 1.0)


def test_windows_contain_their_answer_at_its_position(world):
    data = squad.read_train(world, skip_ambiguous=True)
    assert "q-0-0-0" not in {q.id for q in data.questions}
    windows = squad.Windows(tokens.load(world.models / "tiny-squad"), data, 40, 8, 6)
    answered = [w for w in windows.windows if w.end]
    assert len({w.question for w in answered}) == len(data.questions)
    for w in answered:
        example = windows.encoded(w)
        question = data.questions[w.question]
        words = [f"w{i - 1000}" for i in example.ids[w.start : w.end + 1]]
        assert " ".join(words) == question.answers[0][1]
        assert len(example) == windows.length(w) <= 40


def test_windows_are_tokenized_once(world, monkeypatch):
    tokenizer = tokens.load(world.models / "tiny-squad")
    config = tiny("kept", task="squad", data={"max_length": 44, "max_question": 12})
    first = open_windows(config, world, tokenizer)
    with monkeypatch.context() as patched:
        patched.setattr(squad.Windows, "__init__", lambda *_: pytest.fail("tokenized again"))
        cached = open_windows(config, world, tokenizer)
    assert cached.windows == first.windows and cached.data == first.data
    assert [[tuple(o) for o in one] for one in cached.offsets] == first.offsets
    assert [cached.encoded(w).ids for w in cached.windows] == [first.encoded(w).ids for w in first.windows]
    config.data.max_length = 46
    assert open_windows(config, world, tokenizer).windows != first.windows


def test_mismatched_questions_have_no_answer_and_fit(world):
    data = squad.read_train(world, skip_ambiguous=False)
    tokenizer = tokens.load(world.models / "tiny-squad")
    windows = squad.Windows(tokenizer, data, 40, 8, 12)
    config = tiny("foreign", task="squad", data={"mismatch": 0.5, "max_length": 40})
    source = SquadBatches(config, tokenizer, windows, [w for w in windows.windows if w.end])
    seen = 0
    for step in range(4):
        batch = source.at(step)
        foreign = ~batch.labels["taught"]
        assert batch.input_ids.shape[1] <= 40
        assert torch.equal(batch.labels["start"][foreign], torch.zeros(int(foreign.sum()), dtype=torch.long))
        assert (batch.labels["start"][~foreign] > 0).all()
        seen += int(foreign.sum())
    assert 0 < seen < 32


def test_batch_of_only_mismatched_questions_has_gradients(world):
    config = tiny("all-foreign", task="squad", loss={"hard": 0.0, "soft": 1.0})
    logits = torch.randn(2, 5, requires_grad=True)
    given = ModelOutput(start_logits=logits, end_logits=logits)
    ends = {"start": torch.zeros(2, dtype=torch.long), "end": torch.zeros(2, dtype=torch.long)}
    batch = batches.Batch(
        torch.ones(2, 5, dtype=torch.long),
        torch.zeros(2, 5, dtype=torch.long),
        torch.ones(2, 5, dtype=torch.long),
        {**ends, "taught": torch.zeros(2, dtype=torch.bool)},
    )
    squad_terms(given, given, batch, config)["soft"].backward()
    assert torch.equal(logits.grad, torch.zeros(2, 5))


def test_masking_fractions():
    ids = torch.full((64, 256), 5000)
    ids[:, 0], ids[:, -1] = tokens.CLS, tokens.PAD
    labels = mask_words(ids, np.random.default_rng(1))
    chosen = labels != -100
    assert not chosen[:, 0].any() and not chosen[:, -1].any()
    assert chosen.float().mean() == pytest.approx(0.15, abs=0.01)
    assert (ids[chosen] == tokens.MASK).float().mean() == pytest.approx(0.8, abs=0.02)
    assert (ids[chosen] == 5000).float().mean() == pytest.approx(0.1, abs=0.02)
    assert (ids[~chosen][(ids[~chosen] != tokens.CLS) & (ids[~chosen] != tokens.PAD)] == 5000).all()


def test_training_reads_no_dev_or_test_files(world, monkeypatch):
    asked = []
    original = Folders.data_file

    def watch(self, *parts):
        asked.append("/".join(parts))
        return original(self, *parts)

    monkeypatch.setattr(Folders, "data_file", watch)
    books = {"files": ["text/books.txt"], "corpus": "blind-books", "sequence_length": 32}
    corpus_step.run(tiny("blind-books", task="text", models={"init": "models:tiny-text"}, data=books), world)
    pretrain.run(tiny("blind-pretrain", task="text", data=books | {"tokenizer": "models:tiny"}), world)
    words = {"teacher": "models:tiny-text"}
    transfer.run(tiny("blind-text", task="text", data=books, models=words, loss={"feature_maps": 1.0}), world)
    teacher.run(tiny("blind-teacher", models={"init": "models:tiny"}, loop={"evaluate_every": 3}), world)
    soft = {"teacher": "run:blind-teacher"}
    transfer.run(tiny("blind-transfer", models=soft, loss={"feature_maps": 1.0}), world)
    finetune.run(tiny("blind-finetune", models=soft | {"init": "run:blind-transfer"}, loss={"soft": 1.0}), world)
    finetune.run(tiny("blind-squad", task="squad", models={"init": "models:tiny-squad"}), world)
    assert {a.split("/")[0] for a in asked} == {"sst2", "squad", "text"}
    assert not [a for a in asked if "dev" in a or "test" in a]
    evaluate.run(tiny("blind-finetune"), world)
    assert asked[-1] == "sst2/dev.tsv"


def test_books_are_counted_regardless_of_blank_lines(world, tmp_path):
    (tmp_path / "books.txt").write_text("\n\nw1 w2\n\n\nw3\nw4\n\n")
    summary = corpus.build(tokens.load(world.models / "tiny"), [tmp_path / "books.txt"], tmp_path / "corpus")
    assert summary == {"paragraphs": 3, "pieces": 4, "books": 2}


def test_packed_scores_are_held_out_by_their_squared_error():
    examples = packed.Examples(
        np.array([101, 7, 102, 101, 102], dtype=np.uint16),
        np.array([3, 2], dtype=np.int32),
        np.array([3, 2], dtype=np.int32),
        {"label": np.array([2.5, 4.0], dtype=np.float32)},
    )
    source = packed.PackedBatches(tiny("scores", task="stsb"), examples, np.arange(2), torch.device("cpu"))
    score = held_out_score(lambda **_: ModelOutput(logits=torch.tensor([[2.0], [1.0]])), source, np.arange(2))
    assert score == {"held_out_error": pytest.approx((0.5**2 + 3.0**2) / 2)}


def test_packed_file_of_another_kind_is_rejected(tmp_path):
    path = tmp_path / "other.xz"
    path.write_bytes(lzma.compress(tensors.to_bytes({"pieces": torch.zeros(1)})))
    with pytest.raises(TrainingError, match="not a file written by the step 'pack': 'heads' is missing"):
        packed.read(path)
