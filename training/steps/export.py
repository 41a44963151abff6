"""Export a finished model as a Hugging Face directory in f16, with `files.json` and a preliminary model card."""

import hashlib
import json
import shutil
from pathlib import Path

import torch

from training import atomic, card, tensors
from training.config import Config
from training.errors import TrainingError
from training.folders import Folders
from training.steps import calibrate
from training.steps.common import result

LARGEST = torch.finfo(torch.float16).max


def run(config: Config, folders: Folders) -> None:
    """Write `runs/NAME/export`, from which the step "ship" makes the shipped directory."""
    source = result(config, folders)
    folder = folders.run(config.name) / "export"
    export(source, folder, calibrate.read(config, folders))
    text = card.write(config, folders, source)
    atomic.write_whole(folder / "README.md", lambda p: p.write_text(text, encoding="utf-8"))
    write_manifest(folder, "f16")
    print(folder)


def export(source: Path, folder: Path, calibrated: dict | None = None) -> None:
    """Copy a model directory with its weights in f16; the entries `calibrated` are added to its `config.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: half(name, tensor) for name, tensor in tensors.read(source / "model.safetensors").items()}
    weights = tensors.to_bytes(state, {"format": "pt"})
    atomic.write_whole(folder / "model.safetensors", lambda p: p.write_bytes(weights))
    settings = json.loads((source / "config.json").read_text(encoding="utf-8"))
    settings["dtype"] = "float16"
    settings |= calibrated or {}
    atomic.write_whole(folder / "config.json", lambda p: p.write_text(json.dumps(settings, indent=2) + "\n"))
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        if (source / name).is_file():
            atomic.write_whole(folder / name, lambda p, n=name: shutil.copyfile(source / n, p))


def half(name: str, tensor: torch.Tensor) -> torch.Tensor:
    """Convert a tensor to f16; values that f16 cannot represent are an error."""
    if not tensor.is_floating_point():
        return tensor
    if not torch.isfinite(tensor).all() or tensor.abs().max() > LARGEST:
        raise TrainingError(
            f"{name}: has values that f16 cannot represent; export requires finite weights up to {LARGEST:.0f}"
        )
    return tensor.half()


def write_manifest(folder: Path, dtype: str) -> None:
    """Write `files.json` with the size and SHA-256 of every other file."""
    files = []
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name != "files.json":
            content = path.read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            files.append({"name": path.name, "bytes": len(content), "sha256": digest})
    manifest = {"format": 1, "dtype": dtype, "files": files}
    atomic.write_whole(folder / "files.json", lambda p: p.write_text(json.dumps(manifest, indent=1) + "\n"))
