"""The loop every training step shares: batches in, steps done, checkpoints out, resumed exactly."""

import dataclasses
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from training import autocast, checkpoint, parallel, schedule, strategies
from training.config import Config
from training.data.batches import Batch
from training.errors import TrainingError
from training.log import Bar, Log

# (batch, stage) → the sum to be minimised and the figures to be logged.
Objective = Callable[[Batch, strategies.Stage], tuple[torch.Tensor, dict[str, torch.Tensor]]]


class Loop:
    """Trains `model` through `stages`; the state on disk is `folder/checkpoint.pt`."""

    def __init__(self, config: Config, folder: Path, model: torch.nn.Module, stages: list[strategies.Stage]):
        self.config, self.folder, self.model, self.stages = config, folder, model, stages
        self.steps = sum(s.steps for s in stages)
        self.layers = len(stages[0].rates) - 2
        self.device = next(model.parameters()).device
        self.optimizer = self._optimizer()
        self.step, self.seconds, self.tokens = 0, 0.0, 0
        self.autocast: bool | None = None if config.loop.autocast else False
        self._resume()
        if self.autocast is None:
            self.autocast = autocast.pays(self.device)

    def _optimizer(self) -> torch.optim.Optimizer:
        optim, groups = self.config.optim, {}
        for name, parameter in self.model.named_parameters():
            if optim.freeze_words and "word_embeddings" in name:
                continue
            decayed = parameter.ndim > 1 and "embeddings" not in name
            key = (strategies.part_of(name, self.layers), decayed)
            groups.setdefault(key, []).append(parameter)
        listed = [
            {"params": params, "part": part, "weight_decay": optim.weight_decay if decayed else 0.0}
            for (part, decayed), params in sorted(groups.items())
        ]
        return torch.optim.AdamW(listed, lr=optim.lr, betas=(0.9, optim.beta2), fused=True)

    def run(
        self, batch_at: Callable[[int], Batch], objective: Objective, score: Callable[[], dict] | None = None
    ) -> None:
        """Go on from where the run stands to its end."""
        log = Log(self.folder / "log.jsonl", self.step) if parallel.first() else None
        bar = Bar(self.steps, self.step, self.config.name)
        saved, stage, sums = time.monotonic(), None, {}
        self.model.train()
        while self.step < self.steps:
            began = time.monotonic()
            now, inner = strategies.stage_at(self.stages, self.step)
            if now is not stage:
                stage = now
                self._enter(stage, inner)
            torch.manual_seed(self.config.seed * 1_000_003 + self.step)
            batch = batch_at(self.step)
            self.tokens += int(batch.attention_mask.sum())
            batch = parallel.rows(batch).to(self.device)
            self._learn(batch, objective, stage, inner, sums)
            self.step += 1
            self.seconds += time.monotonic() - began
            if log is None:
                sums.clear()
                continue
            self._report(log, bar, stage, sums)
            self._score(log, score)
            if time.monotonic() - saved > self.config.loop.checkpoint_minutes * 60:
                self.save()
                log.draw()
                saved = time.monotonic()
        if log is not None:
            self.save()
            log.draw()
        parallel.wait()
        bar.end()
        self.model.requires_grad_(True)
        self.model.eval()

    def _enter(self, stage: strategies.Stage, inner: int) -> None:
        if inner == 0:
            # Gradients of another size come with other terms: divided by the old ones, the first steps would be leaps.
            self.optimizer.state.clear()
        strategies.freeze(self.model, stage.rates)
        if self.config.optim.freeze_words:
            for name, parameter in self.model.named_parameters():
                if "word_embeddings" in name:
                    parameter.requires_grad_(False)

    def _learn(self, batch, objective, stage, inner, sums) -> None:
        share = schedule.factor(self.config.optim, inner, stage.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.optim.lr * share * stage.rates[group["part"]]
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast):
            loss, figures = objective(batch, stage)
        if not torch.isfinite(loss):
            raise TrainingError(
                f"{self.config.name}: the loss is {loss.item()} at step {self.step}; lower 'lr' and run again: "
                "it goes on from the last checkpoint"
            )
        loss.backward()
        parallel.average_gradients(self.model)
        learning = [p for p in self.model.parameters() if p.grad is not None]
        torch.nn.utils.clip_grad_norm_(learning, self.config.optim.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        for name, value in {"loss": loss, **figures}.items():
            sums.setdefault(name, []).append(value.detach())

    def _report(self, log: Log, bar: Bar, stage, sums: dict) -> None:
        if self.step % self.config.loop.log_every and self.step != self.steps:
            bar.show(self.step)
            return
        means = {name: float(torch.stack(values).float().mean()) for name, values in sums.items()}
        sums.clear()
        log.write(step=self.step, stage=stage.name, seconds=self.seconds, tokens=self.tokens, **means)
        bar.show(self.step, f"loss {means['loss']:.4f}")

    def _score(self, log: Log, score) -> None:
        every = self.config.loop.evaluate_every
        if score is None or not every or (self.step % every and self.step != self.steps):
            return
        self.model.eval()
        with torch.no_grad():
            log.write(step=self.step, seconds=self.seconds, tokens=self.tokens, **score())
        self.model.train()

    def save(self) -> None:
        """Write the checkpoint."""
        checkpoint.save(
            self.folder / "checkpoint.pt",
            {
                "model": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "step": self.step,
                "seconds": self.seconds,
                "tokens": self.tokens,
                "autocast": self.autocast,
                "student": dataclasses.asdict(self.config.student),
                "task": self.config.task,
            },
        )

    def _resume(self) -> None:
        path = self.folder / "checkpoint.pt"
        state = checkpoint.load(path)
        if state is None:
            return
        own = self.model.state_dict()
        for name, tensor in own.items():
            found = state["model"].get(name)
            if found is None or found.shape != tensor.shape:
                shape = "missing" if found is None else f"of shape {list(found.shape)}"
                raise TrainingError(
                    f"{path}: {name} is {shape}, the configuration asks for {list(tensor.shape)}; "
                    "give the run another 'name' or move the folder away"
                )
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds, self.tokens = state["step"], state["seconds"], state["tokens"]
        if self.config.loop.autocast:
            # In the precision it began with, whatever a second probe would say; older checkpoints lack the key.
            self.autocast = state.get("autocast")
        if self.step > self.steps:
            raise TrainingError(f"{path}: stands at step {self.step}, beyond the configured {self.steps}")


def seed_everything(seed: int) -> None:
    """Fix every generator this package draws from."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)


def threads(count: int) -> None:
    """How many cores torch may use."""
    torch.set_num_threads(count or int(os.environ.get("OMP_NUM_THREADS", 0)) or os.cpu_count() or 1)
