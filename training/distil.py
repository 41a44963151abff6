"""The training objective of a student: the teacher's feature maps, attention and soft labels, and the hard labels."""

import dataclasses

import torch
from torch.func import functional_call

from training import losses, quantize, strategies
from training.config import Config
from training.data.batches import Batch
from training.models.build import encoder
from training.models.modules import Output, key_mask
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
        requested = {"output_hidden_states": bool(stage.transfer), "output_attentions": attentions}
        teacher_output, mask = None, batch.attention_mask
        distils_words = self.config.task == "text" and weights.pretrain_alpha < 1
        if self.teacher is not None and (stage.transfer or weights.soft > 0 or distils_words):
            rows = None if stage.forced or not stage.distil else batch.labels.get("taught")
            teacher_output = self._run_teacher(batch, rows, requested)
            mask = mask if rows is None else mask * rows[:, None]
        if stage.forced:
            student_output = self._forced(batch, teacher_output, attentions)
        elif stage.distil:
            student_output = self._run_student(batch, requested)
        else:
            # Layers above the stage's depth don't contribute to its loss, so they are not computed.
            student_output = encoder(self.student)(**batch.inputs(), **requested, depth=stage.depth)
        terms = {}
        if stage.transfer and teacher_output is not None:
            terms |= self._transfer(student_output, teacher_output, mask, stage)
        if stage.distil:
            terms |= self.task_terms(student_output, teacher_output, batch, self.config)
        return sum(getattr(weights, name) * term for name, term in terms.items()), terms

    @torch.no_grad()
    def _run_teacher(self, batch: Batch, rows: torch.Tensor | None, requested: dict) -> Output | None:
        # The teacher isn't run on rows that it would label incorrectly; its outputs for them are 0. On a GPU it is run
        # on the whole batch, since that takes less time than synchronizing to find out the number of rows.
        if rows is None or rows.is_cuda or rows.all():
            return self.teacher(**batch.inputs(), **requested)
        if not rows.any():
            return None
        output = self.teacher(**batch.rows(rows).inputs(), **requested)

        def scatter(value):
            if isinstance(value, tuple):
                return tuple(scatter(part) for part in value)
            whole = value.new_zeros(len(rows), *value.shape[1:])
            whole[rows] = value
            return whole

        fields = {field.name: getattr(output, field.name) for field in dataclasses.fields(output)}
        return Output(**{name: None if value is None else scatter(value) for name, value in fields.items()})

    def _run_student(self, batch: Batch, requested: dict) -> Output:
        if not self.config.optim.quantized:
            return self.student(**batch.inputs(), **requested)
        return functional_call(self.student, quantize.rounded(self.student), (), {**batch.inputs(), **requested})

    def _forced(self, batch: Batch, teacher_output: Output, attentions: bool) -> Output:
        # Each layer reads the teacher's map below it, so it can learn from the first step, however bad the others are.
        body = encoder(self.student)
        mask = key_mask(batch.attention_mask)
        maps, all_probabilities = [body.embeddings(batch.input_ids, batch.token_type_ids)], []
        for number, layer in enumerate(body.encoder.layer):
            # If two student layers correspond to one teacher layer, the second reads the output of the first.
            below = strategies.teacher_part(number, len(body.encoder.layer), len(teacher_output.hidden_states) - 1)
            stream, probabilities = layer(
                maps[-1] if below is None else teacher_output.hidden_states[below], mask, attentions
            )
            maps.append(stream)
            all_probabilities.append(probabilities)
        pooled = None if body.pooler is None else body.pooler(maps[-1])
        logits = self.student.head(maps[-1], pooled)
        return Output(hidden_states=tuple(maps), attentions=tuple(all_probabilities), **logits)

    def _transfer(self, student_output, teacher_output, mask, stage: Stage) -> dict[str, torch.Tensor]:
        weights = self.config.loss
        student_layers = encoder(self.student).config.num_hidden_layers
        teacher_layers = encoder(self.teacher).config.num_hidden_layers
        terms: dict[str, list[torch.Tensor]] = {"raw_maps": [], "feature_maps": [], "statistics": [], "attention": []}
        for part in stage.transfer:
            source = teacher_part(part, student_layers, teacher_layers)
            if source is None:
                continue
            maps = student_output.hidden_states[part], teacher_output.hidden_states[source], mask
            if weights.raw_maps:
                terms["raw_maps"].append(losses.raw_maps(*maps))
            if weights.feature_maps:
                terms["feature_maps"].append(losses.normalized_maps(*maps))
            if weights.statistics:
                terms["statistics"].append(losses.statistics(*maps))
            if weights.attention and part > 0:
                attentions = student_output.attentions[part - 1], teacher_output.attentions[source - 1]
                heads = None if self.chosen is None else self.chosen[source - 1]
                terms["attention"].append(losses.attention(*attentions, mask, heads))
        return {name: torch.stack(values).mean() for name, values in terms.items() if values}
