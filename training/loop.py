"""The training loop that all training steps share, with checkpoints from which a run resumes exactly."""

import os
import time
from collections.abc import Callable

import numpy as np
import torch

from training import autocast, bundles, parallel, schedule, strategies
from training.atomic import write_whole
from training.config import Config
from training.data.batches import Batch
from training.errors import TrainingError
from training.folders import Folders
from training.log import Bar, Log
from training.shared_folder import FinishedRuns
from training.state import STATE, State, check, describe
from training.time_limit import TimeLimit

# (batch, stage) → the loss to minimize and the values to log.
Objective = Callable[[Batch, strategies.Stage], tuple[torch.Tensor, dict[str, torch.Tensor]]]


class Loop:
    """Trains `model` through the stages of a strategy; its state is kept in the run's checkpoint folder."""

    def __init__(
        self,
        config: Config,
        folders: Folders,
        model: torch.nn.Module,
        strategy: str,
        limit: TimeLimit | None = None,
    ):
        """`strategy` is that of `strategies.plan`. Resumes from the checkpoint if there is one."""
        self.config, self.folders, self.model, self.strategy = config, folders, model, strategy
        self.folder, self.limit = folders.run(config.name), limit or TimeLimit()
        self.layers = model.config.num_hidden_layers
        self.stages = strategies.plan(strategy, config.transfer, config.loss, config.optim.steps, self.layers)
        self.steps = sum(s.steps for s in self.stages)
        self.device = next(model.parameters()).device
        self.optimizer = self._optimizer()
        self.state = State(config, model, self.optimizer)
        self.step, self.seconds, self.tokens = 0, 0.0, 0
        self.autocast: bool | None = None if config.loop.autocast else False
        self.finished_runs = FinishedRuns(folders)
        self._resume()
        if self.autocast is None:
            self.autocast = autocast.is_worthwhile(self.device)

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
    ) -> bool:
        """Train to the end of the run or until time runs out, then save; returns whether the run is complete."""
        log, bar = None, Bar(self.steps, self.step, self.config.name)
        last_save, stage, sums = time.monotonic(), None, {}
        self.model.train()
        while self.step < self.steps and self._may_continue():
            start = time.monotonic()
            current, stage_step = strategies.stage_at(self.stages, self.step)
            if current is not stage:
                stage = current
                self._enter_stage(stage, stage_step)
            torch.manual_seed(self.config.seed * 1_000_003 + self.step)
            batch = batch_at(self.step)
            self.tokens += batch.tokens()
            batch = parallel.rows(batch).to(self.device)
            self._train_step(batch, objective, stage, stage_step, sums)
            self.step += 1
            self.seconds += time.monotonic() - start
            if parallel.first():
                # Nothing is written before the first step is done.
                log = log or Log(self.folder / "log.jsonl", self.first_step)
                self._report(log, bar, stage, sums)
                self._score(log, score)
            else:
                sums.clear()
            self.limit.step(time.monotonic() - start)
            if self._is_save_due(last_save):
                if log:
                    self.save(log)
                else:
                    self.state.round()
                last_save = time.monotonic()
        if self.limit.done == 0 and self.step < self.steps:
            self.limit.raise_out_of_time()
        if log:
            self.save(log)
        parallel.wait()
        bar.end()
        self.model.requires_grad_(True)
        self.model.eval()
        return self.step == self.steps

    def _may_continue(self) -> bool:
        # All processes stop at the same step.
        allowed = self.limit.allows()
        return allowed if self.limit.seconds is None else parallel.agree(allowed)

    def _is_save_due(self, last_save: float) -> bool:
        # With a time limit, also save after the first step, to learn how long saving takes.
        unknown = self.limit.seconds is not None and self.limit.saving == 0.0
        due = unknown or time.monotonic() - last_save > self.config.loop.checkpoint_minutes * 60
        # Compact storage rounds the weights, so all processes must do it at the same step.
        return parallel.agree(due) if self.config.loop.storage == "compact" else due

    def _enter_stage(self, stage: strategies.Stage, stage_step: int) -> None:
        if stage_step == 0:
            # Other loss terms have other gradient scales: with the old moments, the first steps would be too large.
            self.optimizer.state.clear()
        strategies.freeze(self.model, stage.rates)
        if self.config.optim.freeze_words:
            for name, parameter in self.model.named_parameters():
                if "word_embeddings" in name:
                    parameter.requires_grad_(False)

    def _train_step(self, batch: Batch, objective: Objective, stage: strategies.Stage, stage_step: int, sums) -> None:
        factor = schedule.factor(self.config.optim, stage_step, stage.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.optim.lr * factor * stage.rates[group["part"]]
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast):
            loss, terms = objective(batch, stage)
        if self.device.type == "cpu":
            self._check_finite(loss, self.step)
        loss.backward()
        parallel.average_gradients(self.model)
        trained = [parameter for parameter in self.model.parameters() if parameter.grad is not None]
        torch.nn.utils.clip_grad_norm_(trained, self.config.optim.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        for name, value in {"loss": loss, **terms}.items():
            sums.setdefault(name, []).append(value.detach())

    def _check_finite(self, loss: torch.Tensor, step: int) -> None:
        if not torch.isfinite(loss):
            raise TrainingError(
                f"{self.config.name}: the loss is {loss.item()} at step {step}; lower 'lr' and run again "
                "to resume from the last checkpoint"
            )

    def _report(self, log: Log, bar: Bar, stage, sums: dict) -> None:
        if self.step % self.config.loop.log_every and self.step != self.steps:
            bar.show(self.step)
            return
        # On a GPU, checking every step would synchronize; a non-finite loss also shows in the mean.
        self._check_finite(torch.stack(sums["loss"]).float().mean(), self.step - 1)
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

    def save(self, log: Log) -> None:
        """Write the checkpoint and the curves."""
        start = time.monotonic()
        for name, tensor in self.state.stored().items():
            if not torch.isfinite(tensor).all():
                raise TrainingError(
                    f"{self.config.name}: {name} is no longer finite at step {self.step}; lower 'lr' and run "
                    "again to resume from the last checkpoint"
                )
        piece, optimizer_steps = self.state.pack()
        run = describe(
            self.config,
            self.strategy,
            self.state,
            step=self.step,
            seconds=self.seconds,
            tokens=self.tokens,
            optimizer_steps=optimizer_steps,
            autocast=self.autocast,
        )
        bundle = self.finished_runs.bundle({"run": run}, {STATE: piece, "log.jsonl": log.path.read_bytes()})
        folder = self.folders.checkpoint(self.config.name)
        bundles.write(folder, bundle, self.folder / "checkpoint.new")
        log.draw()
        self.limit.save(time.monotonic() - start)

    def _resume(self) -> None:
        folder = self.folders.checkpoint(self.config.name)
        old = self.folder / "checkpoint.pt"
        bundle = bundles.read(folder)
        if bundle is None and old.exists():
            raise TrainingError(f"{old}: from an earlier version; finish the run with that version or move it away")
        if bundle is None or "run" not in bundle.about:
            self.first_step = 0
            self.finished_runs.require_room(self.config, self.model)
            return
        run = bundle.about["run"]
        check(run, self.config, self.strategy, self.state, folder)
        if run["step"] > self.steps:
            raise TrainingError(
                f"{folder}: already at step {run['step']} of {self.steps} configured; increase 'steps' in 'optim', or "
                "give this run another 'name'"
            )
        self.state.unpack(bundle.pieces[STATE], run["optimizer_steps"], str(folder))
        self.step, self.seconds, self.tokens = run["step"], run["seconds"], run["tokens"]
        if self.config.loop.autocast:
            # Keep the precision that the run started with, whatever a second probe would find.
            self.autocast = run["autocast"]
        self.first_step = self.step
        path = self.folder / "log.jsonl"
        if not path.exists():
            write_whole(path, lambda partial: partial.write_bytes(bundle.pieces["log.jsonl"]))


def seed_everything(seed: int) -> None:
    """Seed every random number generator that this package uses."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)


def set_threads(count: int) -> None:
    """Set the number of threads that torch uses on the CPU; 0: `OMP_NUM_THREADS` or all cores."""
    torch.set_num_threads(count or int(os.environ.get("OMP_NUM_THREADS", 0)) or os.cpu_count() or 1)
