"""The state of a run in a checkpoint: its configuration, and weights and AdamW's moments by parameter name."""

import dataclasses
from pathlib import Path

import torch

from training import bundles, compact_storage, tensors
from training import config as configuration
from training.config import Config
from training.errors import TrainingError
from training.models.build import tied

STATE = "state.safetensors"
MOMENTS = {
    "exp_avg": (compact_storage.compress_first_moment, compact_storage.restore_first_moment),
    "exp_avg_sq": (compact_storage.compress_second_moment, compact_storage.restore_second_moment),
}
# Keys that may change when a run is resumed, besides `[card]` and `[loop]` (except `storage`).
CHANGEABLE = frozenset(f"optim.{key}" for key in ("lr", "clip", "steps", "warmup", "schedule", "decay"))


def left_out(config: Config, name: str) -> bool:
    """Return whether a tensor isn't stored because `models.init` has it: frozen word embeddings."""
    return bool(config.models.init) and config.optim.freeze_words and "word_embeddings" in name


class State:
    """Reads and writes the state of a model and its optimizer, by parameter name."""

    def __init__(self, config: Config, model: torch.nn.Module, optimizer: torch.optim.Optimizer):
        self.config, self.model, self.optimizer = config, model, optimizer
        self.parameters = dict(model.named_parameters())

    def stored(self) -> dict[str, torch.Tensor]:
        """The tensors to store, without tied ones and frozen word embeddings of `models.init`."""
        tied_names = tied(self.model)
        return {
            name: tensor
            for name, tensor in self.model.state_dict().items()
            if name not in tied_names and not left_out(self.config, name)
        }

    @torch.no_grad()
    def pack(self) -> tuple[bytes, dict[str, float]]:
        """Serialize the tensors; returns them and the optimizer's steps. Compact storage also rounds them in place."""
        packed, optimizer_steps = {}, {}
        compact = self.config.loop.storage == "compact"
        for name, tensor in self.stored().items():
            stored = compact_storage.compress_weight(tensor) if compact else {"": tensor}
            packed |= {f"model.{name}{suffix}": value for suffix, value in stored.items()}
            if compact:
                tensor.copy_(compact_storage.restore_weight(stored, tensor.shape))
        for name, parameter in self.parameters.items():
            moments = self.optimizer.state.get(parameter)
            if not moments:
                continue
            optimizer_steps[name] = float(moments["step"])
            for moment, (compress, restore) in MOMENTS.items():
                stored = compress(moments[moment]) if compact else {"": moments[moment]}
                packed |= {f"{moment}.{name}{suffix}": value for suffix, value in stored.items()}
                if compact:
                    moments[moment].copy_(restore(stored, parameter.shape))
        return bytes(tensors.to_bytes(packed)), optimizer_steps

    def round(self) -> None:
        """Round the state as `pack` does, in a process that doesn't write the checkpoint."""
        if self.config.loop.storage == "compact":
            self.pack()

    @torch.no_grad()
    def unpack(self, piece: bytes, optimizer_steps: dict[str, float], where: str) -> None:
        """Restore the state that `pack` returned; `where` is the checkpoint's name in error messages."""
        packed = tensors.from_bytes(piece, where)
        compact = self.config.loop.storage == "compact"
        for name, tensor in self.stored().items():
            stored = _with_suffixes(packed, f"model.{name}", where)
            tensor.copy_(compact_storage.restore_weight(stored, tensor.shape) if compact else stored[""])
        self.optimizer.state.clear()
        for name, count in optimizer_steps.items():
            parameter = self.parameters[name]
            state = {"step": torch.tensor(count, dtype=torch.float32, device=parameter.device)}
            for moment, (_, restore) in MOMENTS.items():
                stored = _with_suffixes(packed, f"{moment}.{name}", where)
                value = restore(stored, parameter.shape) if compact else stored[""]
                state[moment] = value.to(parameter.device)
            self.optimizer.state[parameter] = state

    def shapes(self) -> dict[str, list[int]]:
        """Shapes of the stored tensors, for checking a checkpoint before restoring it."""
        return {name: list(tensor.shape) for name, tensor in self.stored().items()}


def _with_suffixes(packed: dict[str, torch.Tensor], name: str, where: str) -> dict[str, torch.Tensor]:
    stored = {suffix: packed[name + suffix] for suffix in ("", ".scale", ".largest") if name + suffix in packed}
    if "" not in stored:
        raise TrainingError(f"{where}: {name} is missing; move the folder away")
    return stored


def describe(config: Config, strategy: str, state: State, **progress) -> dict:
    """Return the description of a run that is stored in the index."""
    return {
        "config": dataclasses.asdict(config),
        "strategy": strategy,
        "shapes": state.shapes(),
        **progress,
    }


def config_of(bundle: bundles.Bundle, folder: Path) -> Config:
    """The configuration of the run in a checkpoint."""
    config = configuration.build(Config, bundle.about["run"]["config"], str(folder))
    configuration.check(config, str(folder))
    return config


def check(run: dict, config: Config, strategy: str, state: State, folder: Path) -> None:
    """Reject a checkpoint with a different configuration, reporting the first difference.

    `run` is the checkpoint's description. Keys that only one of the two versions of this package knows are ignored.
    """
    advice = f"resume it unchanged with `python -m training resume {folder}`, or give this run another 'name'"
    if run["config"]["name"] != config.name:
        raise TrainingError(f"{folder}: belongs to the run '{run['config']['name']}', not to '{config.name}'; {advice}")
    for name, shape in state.shapes().items():
        stored_shape = run["shapes"].get(name)
        if stored_shape != shape:
            problem = "missing" if stored_shape is None else f"of shape {stored_shape}"
            raise TrainingError(f"{folder}: {name} is {problem}, but the configuration requires {shape}; {advice}")
    configured = _flatten(dataclasses.asdict(config) | {"strategy": strategy})
    for key, stored in _flatten(run["config"] | {"strategy": run["strategy"]}).items():
        if key in configured and stored != configured[key] and not _may_change(key):
            raise TrainingError(
                f"{folder}: {key} is {stored!r} in the checkpoint but {configured[key]!r} in the configuration; "
                f"{advice}"
            )


def _flatten(table: dict, prefix: str = "") -> dict:
    """Nested tables as one table with keys such as `data.unanswerable.removed`."""
    flat = {}
    for key, value in table.items():
        flat |= _flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat


def _may_change(key: str) -> bool:
    return key in CHANGEABLE or (key.startswith(("loop.", "card.")) and key != "loop.storage")
