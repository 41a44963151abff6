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
# What may change when a run is resumed: learning rate, schedule, and everything outside the steps themselves.
FREE = {"optim": ("lr", "clip", "steps", "warmup", "schedule", "decay"), "loop": None, "card": None}


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
        again = tied(self.model)
        return {
            name: tensor
            for name, tensor in self.model.state_dict().items()
            if name not in again and not left_out(self.config, name)
        }

    @torch.no_grad()
    def pack(self) -> tuple[bytes, dict[str, float]]:
        """Serialize the tensors; returns them and the optimizer's steps. Compact storage also rounds them in place."""
        found, steps = {}, {}
        small = self.config.loop.storage == "compact"
        for name, tensor in self.stored().items():
            kept = compact_storage.compress_weight(tensor) if small else {"": tensor}
            found |= {f"model.{name}{suffix}": value for suffix, value in kept.items()}
            if small:
                tensor.copy_(compact_storage.restore_weight(kept, tensor.shape))
        for name, parameter in self.parameters.items():
            moments = self.optimizer.state.get(parameter)
            if not moments:
                continue
            steps[name] = float(moments["step"])
            for moment, (there, back) in MOMENTS.items():
                kept = there(moments[moment]) if small else {"": moments[moment]}
                found |= {f"{moment}.{name}{suffix}": value for suffix, value in kept.items()}
                if small:
                    moments[moment].copy_(back(kept, parameter.shape))
        return bytes(tensors.to_bytes(found)), steps

    @torch.no_grad()
    def unpack(self, piece: bytes, steps: dict[str, float], where: str) -> None:
        """Restore the state that `pack` returned."""
        found = tensors.from_bytes(piece, where)
        small = self.config.loop.storage == "compact"
        for name, tensor in self.stored().items():
            kept = _group(found, f"model.{name}", where)
            tensor.copy_(compact_storage.restore_weight(kept, tensor.shape) if small else kept[""])
        self.optimizer.state.clear()
        for name, count in steps.items():
            parameter = self.parameters[name]
            state = {"step": torch.tensor(count, dtype=torch.float32, device=parameter.device)}
            for moment, (_, back) in MOMENTS.items():
                kept = _group(found, f"{moment}.{name}", where)
                value = back(kept, parameter.shape) if small else kept[""]
                state[moment] = value.to(parameter.device)
            self.optimizer.state[parameter] = state

    def shapes(self) -> dict[str, list[int]]:
        """Shapes of the stored tensors, for checking a checkpoint before restoring it."""
        return {name: list(tensor.shape) for name, tensor in self.stored().items()}


def _group(found: dict[str, torch.Tensor], name: str, where: str) -> dict[str, torch.Tensor]:
    group = {suffix: found[name + suffix] for suffix in ("", ".scale", ".largest") if name + suffix in found}
    if "" not in group:
        raise TrainingError(f"{where}: {name} is missing; move the folder away")
    return group


def about(config: Config, strategy: str, state: State, **progress) -> dict:
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


def check(found: dict, config: Config, strategy: str, state: State, folder: Path) -> None:
    """Reject a checkpoint with a different configuration, reporting the first difference."""
    advice = f"resume it unchanged with `python -m training resume {folder}`, or give this run another 'name'"
    other = found["config"]
    if other["name"] != config.name:
        raise TrainingError(f"{folder}: belongs to the run '{other['name']}', not to '{config.name}'; {advice}")
    for name, shape in state.shapes().items():
        there = found["shapes"].get(name)
        if there != shape:
            says = "missing" if there is None else f"of shape {there}"
            raise TrainingError(f"{folder}: {name} is {says}, but the configuration requires {shape}; {advice}")
    given = dataclasses.asdict(config) | {"strategy": strategy}
    for key, value in (other | {"strategy": found["strategy"]}).items():
        if key not in given:
            continue
        free = FREE.get(key, ())
        if free is None or value == given[key]:
            continue
        pairs = value.items() if isinstance(value, dict) else [(None, value)]
        for inner, there in pairs:
            here = given[key] if inner is None else given[key].get(inner, there)
            if inner not in free and there != here:
                name = key if inner is None else f"{key}.{inner}"
                raise TrainingError(
                    f"{folder}: {name} is {there!r} in the checkpoint but {here!r} in the configuration; {advice}"
                )
    if other["loop"]["storage"] != config.loop.storage:
        raise TrainingError(
            f"{folder}: loop.storage is {other['loop']['storage']!r} in the checkpoint "
            f"but {config.loop.storage!r} in the configuration; {advice}"
        )
