"""Invalid input is reported on one line with exit status 1, and nothing is overwritten."""

import gzip
import json
import shutil
from pathlib import Path

import pytest

from training.__main__ import main
from training.errors import TrainingError
from training.steps import finetune
from training.tests.conftest import tiny

GOOD = """
name = "bad"
[models]
init = "models:tiny"
[optim]
steps = 2
"""


def fails(capsys, world, tmp_path, toml: str, step="finetune", data: Path | None = None) -> str:
    """Run a step that must fail; returns its error message."""
    path = tmp_path / "config.toml"
    path.write_text(toml)
    folders = ["--data", str(data or world.data), "--models", str(world.models), "--out", str(tmp_path / "runs")]
    assert main([step, "--config", str(path), "--threads", "1", *folders]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        (GOOD + "momentum = 1", "unknown key 'momentum'"),
        (GOOD.replace("[models]", "colour = 1\n[models]"), "unknown key 'colour'"),
        (GOOD.replace("steps = 2", "steps = '2'"), "'steps' must be int"),
        (GOOD.replace("steps = 2", "steps = true"), "'steps' must be int"),
        (GOOD.replace("steps = 2", "steps = 0"), "'steps' must be positive"),
        (GOOD.replace("[models]", "[models]\nmean_share = 1.0"), "'mean_share' must be between 0 and 1"),
        (GOOD.replace("[models]", '[models]\nsecond_teacher = "run:a"'), "'second_teacher' needs a 'teacher'"),
        (GOOD.replace('name = "bad"', ""), "'name' is missing"),
        (GOOD.replace('"bad"', '"../bad"'), "'name' must be a valid folder name"),
        (GOOD.replace("[models]", 'task = "mnli"\n[models]'), "'task' must be one of"),
        (GOOD.replace("[models]", 'task = "mrpc"\n[data]\njoin = 0.3\n[models]'), "'join' can only be used with"),
        (GOOD.replace("models:tiny", "models:absent"), "pass the folder that contains absent with --models"),
        (GOOD.replace("models:tiny", "run:absent"), "finish the run 'absent' first"),
        (GOOD.replace("models:tiny", "package:no-such-thing"), "is not installed"),
        (GOOD.replace('"models:tiny"', '""'), "set 'init' or 'teacher'"),
        (GOOD + "[data]\ndoc_stride = 0", "'doc_stride' and 'max_question' must be positive"),
        ('task = "squad"\n' + GOOD + "[data]\nmax_length = 60", "room for 'max_question'"),
        (GOOD + "[loss]\nraw_maps = 1.0", "set 'teacher' in 'models'"),
        (GOOD.replace("[models]", "[models]\ndeepen_after = ['1']"), "'deepen_after' must be a list of integers"),
        (GOOD.replace("[models]", "[models]\ndeepen_after = [true]"), "'deepen_after' must be a list of integers"),
        (GOOD.replace("init = ", "deepen_after = [1]\nteacher = "), "'deepen_after' needs an 'init'"),
        (GOOD + "[loop]\nlog_every = 0", "'log_every' must be positive"),
        (GOOD + "[loop]\nheld_out = -1", "'held_out' can't be negative"),
        (GOOD + "[data]\nlimit = -1", "'limit' can't be negative"),
        (GOOD + "[data]\nsequence_length = 4", "'sequence_length' must be between 8 and 512"),
        (GOOD + "beta2 = 1.0", "'beta2' must be at least 0 and less than 1"),
        (GOOD + "warmup = 6.0", "'warmup' and 'decay' must be fractions"),
        (GOOD + "[loss]\nsoft = -1.0", "the weights in 'loss' can't be negative"),
        (GOOD + "[loss]\nhard = 0.0", "stage 'plain' has no loss to minimize"),
        (GOOD + '[data]\npacked = "x"\nopinions = { fact = 0.1 }', "'packed' can't be used with"),
        ("name = ", "not valid TOML"),
    ],
)
def test_invalid_configuration_is_rejected(capsys, world, tmp_path, toml, expected):
    assert expected in fails(capsys, world, tmp_path, toml)


@pytest.mark.parametrize("strategy", ["joint", "progressive"])
def test_layer_strategy_requires_a_layer_loss(capsys, world, tmp_path, strategy):
    toml = GOOD.replace('init = "models:tiny"', 'teacher = "models:tiny"')
    line = fails(capsys, world, tmp_path, f'{toml}\n[transfer]\nstrategy = "{strategy}"', step="transfer")
    assert f"strategy '{strategy}' first trains on layer losses" in line


def test_missing_configuration_is_reported(capsys, tmp_path):
    assert main(["finetune", "--config", str(tmp_path / "none.toml")]) == 1
    assert "no such configuration file" in capsys.readouterr().err


def test_missing_data_is_reported(capsys, world, tmp_path):
    line = fails(capsys, world, tmp_path, GOOD, data=tmp_path / "nowhere")
    assert "no such data file; pass the folder that contains sst2/train.tsv.gz with --data" in line


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("text\t1\tmore", ":3: 3 columns, expected 2"),
        ("text", ":3: 1 columns, expected 2"),
        ("text\t2", ":3: label '2' is not one of 0, 1"),
        ("text\tgood", ":3: label 'good' is not one of 0, 1"),
    ],
)
def test_invalid_rows_are_rejected(capsys, world, tmp_path, row, expected):
    (tmp_path / "sst2").mkdir()
    with gzip.open(tmp_path / "sst2" / "train.tsv.gz", "wt") as file:
        file.write(f"sentence\tlabel\nfine\t1\n{row}\n")
    assert expected in fails(capsys, world, tmp_path, GOOD, data=tmp_path)


def test_out_of_range_scores_are_rejected(capsys, world, tmp_path):
    folder = tmp_path / "glue" / "STS-B"
    folder.mkdir(parents=True)
    stsb = GOOD.replace("[models]", 'task = "stsb"\n[models]').replace("tiny", "tiny-squad")
    for word in ("5.1", "nan", "x"):
        (folder / "train.tsv").write_text("h\n" + "\t".join(["a"] * 9 + [word]) + "\n")
        line = fails(capsys, world, tmp_path, stsb, data=tmp_path)
        assert f"label '{word}' isn't a number from 0 to 5" in line


def test_binary_data_is_rejected(capsys, world, tmp_path):
    (tmp_path / "sst2").mkdir()
    (tmp_path / "sst2" / "train.tsv.gz").write_bytes(b"not gzip at all")
    assert "not a valid text file" in fails(capsys, world, tmp_path, GOOD, data=tmp_path)


def test_wrong_answer_position_is_rejected(capsys, world, tmp_path):
    answer = {"answer_start": 3, "text": "cat"}
    paragraph = {"context": "a cat.", "qas": [{"id": "q1", "question": "?", "answers": [answer]}]}
    (tmp_path / "squad").mkdir()
    with gzip.open(tmp_path / "squad" / "train-v1.1.ambiguous.json.gz", "wt") as file:
        file.write("{}")
    squad = GOOD.replace("[models]", 'task = "squad"\n[models]').replace("tiny", "tiny-squad")
    with gzip.open(tmp_path / "squad" / "train-v1.1.json.gz", "wt") as file:
        json.dump({"data": [{"paragraphs": [paragraph]}]}, file)
    assert "question q1: 'cat' not found at 3" in fails(capsys, world, tmp_path, squad, data=tmp_path)


def test_corrupt_checkpoint_is_rejected(capsys, world, tmp_path):
    folder = tmp_path / "runs" / "bad" / "checkpoint"
    folder.mkdir(parents=True)
    (folder / "index.json").write_bytes(b"rubbish")
    assert "not a valid checkpoint" in fails(capsys, world, tmp_path, GOOD)
    assert (folder / "index.json").read_bytes() == b"rubbish"


def test_checkpoint_of_an_earlier_version_is_rejected(capsys, world, tmp_path):
    path = tmp_path / "runs" / "bad" / "checkpoint.pt"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"earlier")
    assert "from an earlier version" in fails(capsys, world, tmp_path, GOOD)
    assert path.read_bytes() == b"earlier"


def test_teacher_without_the_required_head_is_rejected(capsys, world, tmp_path):
    soft = GOOD.replace("[optim]", 'teacher = "models:tiny-squad"\n[loss]\nsoft = 1.0\n[optim]')
    assert "missing bert.pooler" in fails(capsys, world, tmp_path, soft)


@pytest.mark.parametrize(
    ("student", "loss", "expected"),
    [
        ("num_hidden_layers = 3\nhidden_size = 32", "raw_maps", "3 layers and the teacher 2: one must be a multiple"),
        ("num_hidden_layers = 2\nhidden_size = 64", "feature_maps", "maps are 64 wide and the teacher's 32"),
        (
            "num_hidden_layers = 2\nhidden_size = 32\nnum_attention_heads = 3\nintra_bottleneck_size = 24",
            "attention",
            "4 heads can't be divided into 3 groups",
        ),
    ],
)
def test_incompatible_maps_or_heads_are_rejected(capsys, world, tmp_path, student, loss, expected):
    toml = GOOD.replace("init = ", 'word_vectors = "random"\nteacher = ')
    line = fails(capsys, world, tmp_path, f"{toml}[student]\n{student}\n[loss]\n{loss} = 1.0")
    assert expected in line and "in 'loss' to 0" in line


def test_diverging_loss_stops_the_run(world):
    wild = tiny("wild", models={"init": "models:tiny"}, optim={"lr": 1e30, "steps": 5, "clip": 1e30, "warmup": 0.2})
    with pytest.raises(TrainingError, match="the loss is (nan|inf) at step"):
        finetune.run(wild, world)
    assert not (world.run("wild") / "done.json").exists()


def test_folder_in_place_of_a_configuration_is_reported(capsys, tmp_path):
    assert main(["finetune", "--config", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"error: {tmp_path}: Is a directory\n"


def test_corrupt_compressed_data_is_rejected(capsys, world, tmp_path):
    for folder, name, task, message in (
        ("sst2", "train.tsv.gz", "sst2", "not a valid text file"),
        ("squad", "train-v1.1.json.gz", "squad", "not valid JSON"),
    ):
        content = bytearray((world.data / folder / name).read_bytes())
        content[40:80] = bytes(40)
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_bytes(content)
        toml = f'task = "{task}"\n' + GOOD.replace("models:tiny", "models:tiny-squad")
        assert message in fails(capsys, world, tmp_path, toml, data=tmp_path)


def test_missing_ambiguous_questions_can_be_turned_off(capsys, world, tmp_path):
    (tmp_path / "squad").mkdir()
    (tmp_path / "squad" / "train-v1.1.json.gz").write_bytes((world.data / "squad" / "train-v1.1.json.gz").read_bytes())
    toml = 'task = "squad"\n' + GOOD.replace("models:tiny", "models:tiny-squad")
    line = fails(capsys, world, tmp_path, toml, data=tmp_path)
    assert "train-v1.1.ambiguous.json.gz: no such data file" in line
    assert line.endswith("or set 'skip_ambiguous' = false in 'data'\n")


def test_invalid_squad_file_is_rejected_with_its_article(capsys, world, tmp_path):
    answer = {"answer_start": "two", "text": "cat"}
    articles = [{"paragraphs": []}, {"paragraphs": [{"context": "a cat", "qas": [{"id": "q", "answers": [answer]}]}]}]
    (tmp_path / "squad").mkdir()
    with gzip.open(tmp_path / "squad" / "train-v1.1.json.gz", "wt") as file:
        json.dump({"data": articles}, file)
    toml = 'task = "squad"\n' + GOOD.replace("models:tiny", "models:tiny-squad")
    assert "not in SQuAD's format: article 2: ValueError" in fails(capsys, world, tmp_path, toml, data=tmp_path)


@pytest.mark.parametrize(
    ("content", "expected"),
    [("{}", "not a valid tokenizer"), (None, "the id of [CLS] is 3, not 101; only models with the vocabulary of")],
)
def test_unusable_tokenizer_is_rejected(capsys, world, tmp_path, content, expected):
    folder = tmp_path / "other"
    shutil.copytree(world.models / "tiny", folder)
    if content is None:
        (tmp_path / "vocab.txt").write_text("\n".join(["[PAD]", "a", "b", "[CLS]", "[SEP]", "[MASK]"]) + "\n")
        special = {"[PAD]": 0, "[CLS]": 3, "[SEP]": 4, "[MASK]": 5}
        settings = json.loads((folder / "tokenizer.json").read_text())
        settings["model"]["vocab"] = special | {"a": 1, "b": 2} | {f"[unused{i}]": i for i in range(6, 100)}
        settings["model"]["vocab"]["[UNK]"] = 100
        settings["added_tokens"] = []
        settings["post_processor"] = None
        content = json.dumps(settings)
    (folder / "tokenizer.json").write_text(content)
    assert expected in fails(capsys, world, tmp_path, GOOD.replace("models:tiny", str(folder)))


def test_too_few_examples_are_reported(capsys, world, tmp_path):
    for name in ("train-v1.1.json.gz", "train-v1.1.ambiguous.json.gz"):
        (tmp_path / "squad").mkdir(exist_ok=True)
        content = {"data": []} if name == "train-v1.1.json.gz" else {}
        with gzip.open(tmp_path / "squad" / name, "wt") as file:
            json.dump(content, file)
    toml = 'task = "squad"\n' + GOOD.replace("models:tiny", "models:tiny-squad")
    assert "no training examples are left" in fails(capsys, world, tmp_path, toml, data=tmp_path)


@pytest.mark.parametrize("step", ["corpus", "pack"])
def test_missing_tokenizer_is_reported(capsys, world, tmp_path, step):
    toml = GOOD.replace('"models:tiny"', '""') + '[data]\nfiles = ["text/books.txt"]\npacked = "x"\n'
    assert "set 'init' or 'teacher' in 'models', or 'tokenizer' in 'data'" in fails(
        capsys, world, tmp_path, toml, step=step
    )
