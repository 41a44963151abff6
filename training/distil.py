"""The training objective of a student: the teacher's feature maps, attention and soft labels, and the hard labels."""

import dataclasses

import torch
from torch.func import functional_call

from training import losses, quantize, strategies
from training.config import Config
from training.data.batches import Batch
from training.models.build import encoder
from training.models.modules import Output, visible
from training.strategies import Stage, teacher_part


class Distillation:
    """The objective of `loop.Loop`: a weighted sum of the loss terms that a stage uses."""

    def __init__(
        self,
        config: Config,
        student: torch.nn.Module,
        teacher: torch.nn.Module | None,
        task_terms,
        chosen: list[list[int]] | None = None,
    ):
        """Store the models and freeze the teacher.

        `task_terms`: (student's output, teacher's or None, batch, config) → the task's terms "soft", "hard", ...
        `chosen`: for each of the teacher's layers, the heads whose attention the student's heads learn.
        """
        self.config, self.student, self.teacher, self.task_terms = config, student, teacher, task_terms
        self.chosen = chosen
        if teacher is not None:
            teacher.eval().requires_grad_(False)

    def __call__(self, batch: Batch, stage: Stage):
        """Return the weighted sum and the individual terms."""
        weights = self.config.loss
        attentions = bool(stage.transfer) and weights.attention > 0
        shown = {"output_hidden_states": bool(stage.transfer), "output_attentions": attentions}
        teacher_output, mask = None, batch.attention_mask
        words = self.config.task == "text" and weights.pretrain_alpha < 1
        if self.teacher is not None and (stage.transfer or weights.soft > 0 or words):
            rows = None if stage.forced or not stage.distil else batch.labels.get("taught")
            teacher_output = self._run_teacher(batch, rows, shown)
            mask = mask if rows is None else mask * rows[:, None]
        if stage.forced:
            student_output = self._forced(batch, teacher_output, attentions)
        elif stage.distil:
            student_output = self._student(batch, shown)
        else:
            # Layers above the stage's depth don't contribute to its loss, so they are not computed.
            student_output = encoder(self.student)(**batch.inputs(), **shown, depth=stage.depth)
        terms = {}
        if stage.transfer and teacher_output is not None:
            terms |= self._transfer(student_output, teacher_output, mask, stage)
        if stage.distil:
            terms |= self.task_terms(student_output, teacher_output, batch, self.config)
        return sum(getattr(weights, name) * term for name, term in terms.items()), terms

    @torch.no_grad()
    def _run_teacher(self, batch: Batch, rows: torch.Tensor | None, shown: dict):
        # The teacher isn't run on rows that it would label incorrectly; its outputs for them are 0. On a GPU it is run
        # on the whole batch, since that takes less time than synchronizing to find out the number of rows.
        if rows is None or rows.is_cuda or rows.all():
            return self.teacher(**batch.inputs(), **shown)
        if not rows.any():
            return None
        found = self.teacher(**batch.rows(rows).inputs(), **shown)

        def spread(value):
            if isinstance(value, tuple):
                return tuple(spread(part) for part in value)
            whole = value.new_zeros(len(rows), *value.shape[1:])
            whole[rows] = value
            return whole

        fields = {f.name: getattr(found, f.name) for f in dataclasses.fields(found)}
        return Output(**{name: None if value is None else spread(value) for name, value in fields.items()})

    def _student(self, batch: Batch, shown: dict):
        if not self.config.optim.quantized:
            return self.student(**batch.inputs(), **shown)
        return functional_call(self.student, quantize.rounded(self.student), (), {**batch.inputs(), **shown})

    def _forced(self, batch: Batch, teacher_output: Output, attentions: bool) -> Output:
        # Each layer reads the teacher's map below it, so it can learn from the first step, however bad the others are.
        body = encoder(self.student)
        keys = visible(batch.attention_mask)
        maps, shares = [body.embeddings(batch.input_ids, batch.token_type_ids)], []
        for number, layer in enumerate(body.encoder.layer):
            # If two student layers correspond to one teacher layer, the second reads the output of the first.
            below = strategies.teacher_part(number, len(body.encoder.layer), len(teacher_output.hidden_states) - 1)
            stream, probabilities = layer(
                maps[-1] if below is None else teacher_output.hidden_states[below], keys, attentions
            )
            maps.append(stream)
            shares.append(probabilities)
        pooled = None if body.pooler is None else body.pooler(maps[-1])
        return Output(hidden_states=tuple(maps), attentions=tuple(shares), **self.student.head(maps[-1], pooled))

    def _transfer(self, student_output, teacher_output, mask, stage: Stage) -> dict[str, torch.Tensor]:
        weights = self.config.loss
        own = encoder(self.student).config.num_hidden_layers
        teachers = encoder(self.teacher).config.num_hidden_layers
        found: dict[str, list[torch.Tensor]] = {"raw_maps": [], "feature_maps": [], "statistics": [], "attention": []}
        for part in stage.transfer:
            other = teacher_part(part, own, teachers)
            if other is None:
                continue
            maps = student_output.hidden_states[part], teacher_output.hidden_states[other], mask
            if weights.raw_maps:
                found["raw_maps"].append(losses.raw_maps(*maps))
            if weights.feature_maps:
                found["feature_maps"].append(losses.normalized_maps(*maps))
            if weights.statistics:
                found["statistics"].append(losses.statistics(*maps))
            if weights.attention and part > 0:
                pair = student_output.attentions[part - 1], teacher_output.attentions[other - 1]
                numbers = None if self.chosen is None else self.chosen[other - 1]
                found["attention"].append(losses.attention(*pair, mask, numbers))
        return {name: torch.stack(values).mean() for name, values in found.items() if values}
