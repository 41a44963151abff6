"""Finished runs inside a shared checkpoint folder (`--checkpoints`), so that only one folder has to be copied.

On a machine that returns only a few files, all runs write their checkpoints to the same folder. A finished run stays
there as a result: its weights (in f16 if its checkpoints were compact, without frozen word embeddings that came from
`models.init`), its log and its metrics. Once a run that was initialized from it has finished too, its weights are
dropped.
"""

import dataclasses
import json
from pathlib import Path

import torch

from training import atomic, bundles, state, tensors
from training import config as configuration
from training.config import Config
from training.errors import TrainingError
from training.folders import Folders
from training.models import architecture, build, heads
from training.models.save import copy_tokenizer, save_weights, tokenizer_directory

# Capacity of a shared folder: four parts, which leaves room for other files that are copied along.
ROOM = 4 * bundles.MAX_PART_BYTES
WEIGHTS = "weights.safetensors"
# Files of a run that are carried unchanged, as paths relative to the run's folder.
FILES = ("model/config.json", f"model/{heads.RECORD}", "done.json", "log.jsonl")


class SharedFolderFull(TrainingError):
    """A shared folder has no room for another run."""


class FinishedRuns:
    """The contents of a shared folder except for the current run; empty if each run has its own folder."""

    def __init__(self, folders: Folders):
        self.runs, self.pieces, self.folders = {}, {}, folders
        bundle = bundles.read(folders.checkpoints) if folders.checkpoints else None
        if bundle:
            self.runs = bundle.about.get("runs", {})
            self.pieces = {name: piece for name, piece in bundle.pieces.items() if name.startswith("runs/")}

    def bundle(self, about: dict, pieces: dict[str, bytes]) -> bundles.Bundle:
        """A checkpoint, preceded by the carried runs."""
        return bundles.Bundle({"runs": self.runs} | about, self.pieces | pieces)

    def finish(self, config: Config, model: torch.nn.Module) -> None:
        """Store a finished run in the shared folder, replacing its checkpoint."""
        if self.folders.checkpoints is None:
            return
        folder, prefix = self.folders.run(config.name), f"runs/{config.name}/"
        for name in FILES:
            if (folder / name).is_file():
                self.pieces[prefix + name] = (folder / name).read_bytes()
        self.pieces[prefix + WEIGHTS] = bytes(tensors.to_bytes(_weights(config, model)))
        self.runs[config.name] = {"config": dataclasses.asdict(config)}
        kind, _, init = config.models.init.partition(":")
        if kind == "run":
            self.pieces.pop(f"runs/{init}/{WEIGHTS}", None)
        bundles.write(self.folders.checkpoints, self.bundle({}, {}), folder / "checkpoint.new")

    def require_room(self, config: Config, model: torch.nn.Module) -> None:
        """Reject a run whose checkpoints would not fit next to the carried runs."""
        if self.folders.checkpoints is None:
            return
        carried, needed = sum(map(len, self.pieces.values())), _checkpoint_size(config, model)
        if carried + needed > ROOM:
            raise SharedFolderFull(
                f"{self.folders.checkpoints}: {carried / 2**20:.0f} MiB of finished runs and {needed / 2**20:.0f} MiB "
                f"of '{config.name}' exceed {ROOM / 2**20:.0f} MiB; extract the finished ones with "
                "`python -m training unpack` and continue in an empty folder"
            )


def unpack(bundle: bundles.Bundle, folders: Folders, where: Path) -> list[str]:
    """Extract finished runs to the folder of runs, skipping existing ones; returns the names of all of them."""
    for name, run in bundle.about.get("runs", {}).items():
        folder, prefix = folders.run(name), f"runs/{name}/"
        if (folder / "done.json").exists():
            continue
        config = configuration.build(Config, run["config"], str(where))
        for file in FILES:
            if file != "done.json" and prefix + file in bundle.pieces:
                _write(folder / file, bundle.pieces[prefix + file])
        if prefix + WEIGHTS in bundle.pieces:
            _restore(config, folders, tensors.from_bytes(bundle.pieces[prefix + WEIGHTS], f"{where}: {name}"))
        # Written last: it marks the run as finished.
        _write(folder / "done.json", bundle.pieces[prefix + "done.json"])
    return list(bundle.about.get("runs", {}))


def _restore(config: Config, folders: Folders, stored: dict[str, torch.Tensor]) -> None:
    folder = folders.run(config.name) / "model"
    fields = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    model = build.build(architecture.Architecture(**fields), config.task)
    source = tokenizer_directory(config, folders)
    if config.models.init and config.optim.freeze_words:
        words = build.load(source, config.task).body.embeddings.word_embeddings.weight
        model.body.embeddings.word_embeddings.weight.data.copy_(words)
    model.load_state_dict({name: tensor.float() for name, tensor in stored.items()}, strict=False)
    save_weights(model, folder)
    copy_tokenizer(source, folder)


def _write(path: Path, content: bytes) -> None:
    atomic.write_whole(path, lambda partial: partial.write_bytes(content))


def _weights(config: Config, model: torch.nn.Module) -> dict[str, torch.Tensor]:
    tied_names = build.tied(model)
    compact = config.loop.storage == "compact"
    return {
        name: tensor.half() if compact else tensor
        for name, tensor in model.state_dict().items()
        if name not in tied_names and not state.left_out(config, name)
    }


def _checkpoint_size(config: Config, model: torch.nn.Module) -> int:
    # An upper bound: counts every stored parameter as trainable.
    count = sum(p.numel() for n, p in model.named_parameters() if not state.left_out(config, n))
    return int(count * (5.1 if config.loop.storage == "compact" else 12)) + 2**18
