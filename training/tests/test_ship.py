"""The shipped model: quantized, scored with the engine on whole files, with a matching model card."""

import hashlib
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest

from training import atomic, card, confidence, engine
from training import config as configuration
from training.data import masked, tokens
from training.errors import TrainingError
from training.folders import HERE
from training.scoring import examples
from training.steps import calibrate, export, finetune, ship
from training.tests.conftest import sentence, tiny

try:
    engine.find()
    MISSING = ""
except TrainingError as missing:
    MISSING = str(missing)


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
@pytest.mark.parametrize("task", ["sst2", "squad"])
def test_card_matches_the_shipped_files(world, tmp_path, task):
    folders = replace(world, shipped=tmp_path)
    config = tiny(f"ship-{task}", task=task, models={"init": "models:tiny" + ("-squad" if task == "squad" else "")})
    finetune.run(config, folders)
    if task == "squad":
        calibrate.run(config, folders)
        shutil.copyfile(folders.data / "squad" / "dev-v1.1.json", folders.data / "squad" / "dev-v2.0.json")
    export.run(config, folders)
    old = tmp_path / config.name / "left-over"
    old.parent.mkdir()
    old.write_text("of an earlier model")
    ship.run(config, folders)
    folder = tmp_path / config.name
    assert not old.exists()
    text = (folder / "README.md").read_text()
    sums = dict(re.findall(r"\| (\S+) \| \d+ \| `([0-9a-f]{64})` \|", text))
    assert set(sums) == {path.name for path in folder.iterdir()} - {"README.md"}
    for name, stated in sums.items():
        assert stated == hashlib.sha256((folder / name).read_bytes()).hexdigest()
    for heading in ("Architecture", "Recipe", "Data and licenses", "Scores", "Ten examples", "Known failures"):
        assert f"\n## {heading}\n" in text
    assert "| q8, as shipped | " in text
    assert ("SQuAD v2.0, whole dev set (12 questions)" in text) == (task == "squad")


@pytest.mark.parametrize("path", sorted(HERE.glob("configs/*-export.toml")), ids=lambda path: path.stem)
def test_card_in_the_repository_says_what_its_configuration_says(path):
    config = configuration.read(path)
    text = (HERE.parent / "models" / config.name / "README.md").read_text()
    assert f"Hardware: {config.card.hardware}." in text
    assert f"\n{card.LICENSE}\n" in text
    for line in (card.DATA[config.task], *config.card.sources, *config.card.failures):
        assert f"\n- {line}\n" in text


def test_model_must_be_exported_before_shipping(world):
    with pytest.raises(TrainingError, match="run the step 'export'"):
        ship.run(tiny("never-exported"), world)


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
def test_encoder_card_reports_masked_word_accuracy(world, tmp_path):
    folders = replace(world, shipped=tmp_path / "models", data=tmp_path / "data")
    random = np.random.default_rng(9)
    (folders.data / "text").mkdir(parents=True)
    lines = [sentence(random, 45, 70) for _ in range(30)]
    (folders.data / "text" / "held-out.txt").write_text("\n".join(lines) + "\n")
    config = tiny("ship-text", task="text", data={"files": ["text/held-out.txt"]})
    shutil.copytree(world.models / "tiny-text", folders.run(config.name) / "model")
    export.run(config, folders)
    ship.run(config, folders)
    text = (folders.shipped / config.name / "README.md").read_text()
    [[count]] = [re.findall(r"(\d+) masked words in 30 paragraphs", text)]
    assert int(count) > 60
    # The model is untrained, so of 500 equally frequent words it guesses at most a few by chance.
    shares = {name: float(share) for name, share in re.findall(r"\| (f16|q4, as shipped|chance) \| ([0-9.]+) %", text)}
    assert set(shares) == {"f16", "q4, as shipped", "chance"} and max(shares.values()) < 8
    assert text.count("| … ") >= 5


@pytest.mark.parametrize("task", ["mrpc", "stsb"])
def test_unsupported_tasks_are_rejected(world, task):
    with pytest.raises(TrainingError, match="only squad, text and single-text classification"):
        ship.run(tiny("pairs", task=task), world)


def test_masked_words_require_text_files(world):
    with pytest.raises(TrainingError, match="'data.files' is empty"):
        ship.run(tiny("no-files", task="text"), world)


def test_masks_replace_whole_words_of_one_token(world):
    tokenizer = tokens.load(world.models / "tiny")
    hidden = 0
    for seed in range(40):
        plain = '(w1 w2-w3 w4\'s w5) unknown w6, w7. "w8" w9w1 w10'
        masked_text = masked.mask(plain, tokenizer, np.random.default_rng(seed))
        restored = masked_text.text
        for word in masked_text.written:
            assert word in ("w1", "w5", "w6", "w7", "w8", "w10")
            restored = restored.replace("[MASK]", word, 1)
        assert restored == plain
        assert [tokenizer.token_to_id(word) for word in masked_text.written] == masked_text.words
        hidden += len(masked_text.words)
    assert 20 < hidden < 60


def test_failed_copy_leaves_the_previous_folder(tmp_path):
    target = tmp_path / "model"
    target.mkdir()
    (target / "weights").write_text("old")
    with pytest.raises(TrainingError, match="could not be written"):
        atomic.replace_folder(tmp_path / "absent", target)
    assert (target / "weights").read_text() == "old"


def test_half_of_the_examples_are_mistakes_if_possible():
    right = [i % 3 > 0 for i in range(60)]
    chosen = examples.pick(right, 1)
    assert [right[i] for i in chosen] == [True] * 5 + [False] * 5
    assert chosen == examples.pick(right, 1) != examples.pick(right, 2)
    assert len(examples.pick([True] * 3 + [False], 1)) == 4


def test_engine_errors_are_reported(tmp_path):
    program = tmp_path / "mobilebert"
    program.write_text("#!/bin/sh\necho something else >&2\necho 'error: no such thing' >&2\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(TrainingError, match="no such thing"):
        engine.Engine(str(program)).quantize(tmp_path, "q8", tmp_path / "out")


def test_intervals_match_published_examples():
    # Newcombe 1998, example (a): 81 of 263.
    low, high = confidence.wilson(81, 263)
    assert (low, high) == pytest.approx((25.53, 36.62), abs=0.01)
    low, high = confidence.bootstrap([0.0, 1.0] * 500)
    # 0.5 ± 1.96 · √(0.25 / 1000)
    assert (low, high) == pytest.approx((0.469, 0.531), abs=0.005)
    assert confidence.bootstrap([1.0] * 10) == (1.0, 1.0)


def test_only_copy_of_a_killed_replacement_is_kept_until_there_is_another(tmp_path):
    previous = tmp_path / "model.before"
    previous.mkdir()
    with pytest.raises(TrainingError, match="could not be written"):
        atomic.replace_folder(tmp_path / "absent", tmp_path / "model")
    assert previous.exists()


def test_engine_that_cannot_be_run_is_reported(tmp_path):
    with pytest.raises(TrainingError, match="absent: could not be run: No such file or directory; set MOBILEBERT_BIN"):
        engine.Engine(str(tmp_path / "absent")).quantize(tmp_path, "q8", tmp_path / "out")


def test_texts_without_words_to_mask_are_rejected(world):
    config = tiny("nothing-masked", task="text", data={"files": ["sst2/dev.tsv"]})
    with pytest.raises(TrainingError, match="dev.tsv: no word can be masked in any paragraph of 40 to 80 words"):
        masked.draw(config, world, tokens.load(world.models / "tiny"))
