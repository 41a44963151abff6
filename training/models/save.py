"""A model and its tokenizer → a model directory."""

import json
import shutil
from pathlib import Path

import torch

from training import atomic, tensors
from training.config import Config
from training.errors import TrainingError
from training.folders import Folders
from training.models.build import tied


def save_model(model: torch.nn.Module, tokenizer_from: Path, folder: Path) -> None:
    """Write `config.json`, f32 weights and the tokenizer, each file atomically."""
    save_weights(model, folder)
    copy_tokenizer(tokenizer_from, folder)


def save_weights(model: torch.nn.Module, folder: Path) -> None:
    """Write `config.json` and f32 weights."""
    config = model.config.to_json() | {"architectures": [model.architecture]}
    tied_names = tied(model)
    state = {name: tensor for name, tensor in model.state_dict().items() if name not in tied_names}
    weights = tensors.to_bytes(state, {"format": "pt"})
    atomic.write_whole(folder / "model.safetensors", lambda p: p.write_bytes(weights))
    atomic.write_whole(folder / "config.json", lambda p: p.write_text(json.dumps(config, indent=2) + "\n"))


def tokenizer_directory(config: Config, folders: Folders) -> Path:
    """The model directory whose tokenizer a run uses: that of `init`, the teacher or `data.tokenizer`."""
    reference = config.models.init or config.models.teacher or config.data.tokenizer
    if not reference:
        raise TrainingError(f"{config.name}: set 'init' or 'teacher' in 'models', or 'tokenizer' in 'data'")
    return folders.model(reference)


def copy_tokenizer(source: Path, folder: Path) -> None:
    """Copy the tokenizer's files, if any, to a model directory."""
    for name in ("tokenizer_config.json", "vocab.txt"):
        if (source / name).is_file():
            atomic.write_whole(folder / name, lambda p, n=name: shutil.copyfile(source / n, p))
    if (source / "tokenizer.json").is_file():
        # Some teachers' tokenizers truncate and pad to 128 tokens; the copy does neither.
        settings = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))
        text = json.dumps(settings | {"truncation": None, "padding": None}, ensure_ascii=False)
        atomic.write_whole(folder / "tokenizer.json", lambda p: p.write_text(text, encoding="utf-8"))
