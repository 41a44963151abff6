"""Shared fixtures: tiny models, a generated vocabulary, and small data files."""

import gzip
import json

import numpy as np
import pytest
import torch
from tokenizers import BertWordPieceTokenizer

from training.config import Config, build
from training.folders import Folders
from training.models import build as models
from training.models.architecture import Architecture
from training.models.save import save_model

WORDS = [f"w{i}" for i in range(500)]


def vocabulary() -> list[str]:
    """30,522 entries with the special tokens at their usual ids."""
    special = {0: "[PAD]", 100: "[UNK]", 101: "[CLS]", 102: "[SEP]", 103: "[MASK]"}
    words = {1000 + i: w for i, w in enumerate(WORDS)}
    return [special.get(i) or words.get(i) or f"[unused{i}]" for i in range(30522)]


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> Folders:
    """Data files, tiny BERT checkpoints, and an empty folder for runs."""
    root = tmp_path_factory.mktemp("world")
    folders = Folders(root / "data", root / "models", root / "runs")
    tokenizer_folder = root / "tokenizer"
    tokenizer_folder.mkdir()
    (tokenizer_folder / "vocab.txt").write_text("\n".join(vocabulary()) + "\n")
    tokenizer = BertWordPieceTokenizer(str(tokenizer_folder / "vocab.txt"))
    tokenizer.enable_truncation(6)
    tokenizer.save(str(tokenizer_folder / "tokenizer.json"))
    torch.manual_seed(0)
    for name, task in (("tiny", "sst2"), ("tiny-squad", "squad"), ("tiny-text", "text")):
        config = models.with_labels(tiny_bert(), task)
        save_model(models.build(config, task), tokenizer_folder, folders.models / name)
    write_data(folders)
    return folders


def tiny_bert() -> Architecture:
    """A BERT with two layers, width 32 and four heads."""
    return Architecture(
        "bert",
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        hidden_dropout_prob=0.1,
    )


def sentence(random, low=3, high=12) -> str:
    return " ".join(random.choice(WORDS, size=int(random.integers(low, high))))


def write_data(folders: Folders) -> None:
    """Write random SST-2, STS-B, SQuAD and text files."""
    random = np.random.default_rng(5)
    rows = [f"{sentence(random)} \t{random.integers(2)}" for _ in range(200)]
    (folders.data / "sst2").mkdir(parents=True, exist_ok=True)
    with gzip.open(folders.data / "sst2" / "train.tsv.gz", "wt") as file:
        file.write("\n".join(["sentence\tlabel", *rows]) + "\n")
    (folders.data / "sst2" / "dev.tsv").write_text("\n".join(["sentence\tlabel", *rows[:30]]) + "\n")
    (folders.data / "squad").mkdir(exist_ok=True)
    with gzip.open(folders.data / "squad" / "train-v1.1.json.gz", "wt") as file:
        json.dump(squad(random, 6), file)
    with gzip.open(folders.data / "squad" / "train-v1.1.ambiguous.json.gz", "wt") as file:
        json.dump({"q-0-0-0": [0, 1]} | {f"q-{a}-{p}-2": [0, 1] for a in range(6) for p in range(2)}, file)
    (folders.data / "squad" / "dev-v1.1.json").write_text(json.dumps(squad(random, 2)))
    (folders.data / "text").mkdir(exist_ok=True)
    lines = [sentence(random, 10, 40) if i % 9 else "" for i in range(1, 60)]
    (folders.data / "text" / "books.txt").write_text("\n".join(lines) + "\n")


def squad(random, articles: int) -> dict:
    """Articles with two paragraphs of three questions each, whose answers are spans of the paragraph."""
    data = []
    for a in range(articles):
        paragraphs = []
        for p in range(2):
            words = sentence(random, 30, 60).split()
            text = " ".join(words)
            questions = []
            for q in range(3):
                first = int(random.integers(len(words) - 3))
                start = len(" ".join(words[:first])) + (1 if first else 0)
                answer = " ".join(words[first : first + 2])
                found = {"answer_start": start, "text": answer}
                questions.append({"id": f"q-{a}-{p}-{q}", "question": sentence(random), "answers": [found]})
            paragraphs.append({"context": text, "qas": questions})
        data.append({"title": str(a), "paragraphs": paragraphs})
    return {"version": "1.1", "data": data}


TINY_STUDENT = {
    "num_hidden_layers": 2,
    "hidden_size": 32,
    "embedding_size": 16,
    "intra_bottleneck_size": 16,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "num_feedforward_networks": 2,
}


def tiny(name: str, **sections) -> Config:
    """A configuration for a few fast steps, updated with `sections`."""
    table = {
        "name": name,
        "student": TINY_STUDENT,
        "optim": {"steps": 6, "batch_size": 8, "lr": 1e-3},
        "loop": {"log_every": 2, "held_out": 0, "autocast": False},
    }
    for key, value in sections.items():
        table[key] = {**table.get(key, {}), **value} if isinstance(value, dict) else value
    return build(Config, table, name)
