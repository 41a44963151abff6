"""What a student is told at each step: the teacher's maps and attention, its soft labels, the data's labels."""

import torch
from torch.func import functional_call

from training import losses, quantise
from training.config import Config
from training.data.batches import Batch
from training.models.build import encoder
from training.strategies import Stage, teacher_part

# (student's output, teacher's output or None, batch, config) → the task's terms "soft", "hard", ...
Terms = "Callable[[ModelOutput, ModelOutput | None, Batch, Config], dict[str, Tensor]]"


class Distillation:
    """The objective of `loop.Loop`: a weighted sum of the terms that a stage asks for."""

    def __init__(self, config: Config, student: torch.nn.Module, teacher: torch.nn.Module | None, task_terms):
        self.config, self.student, self.teacher, self.task_terms = config, student, teacher, task_terms
        if teacher is not None:
            teacher.eval().requires_grad_(False)
        # `transformers` hooks the layers it finds at the first such call; shallow passes must not be the first.
        with torch.no_grad():
            word = torch.ones(1, 1, dtype=torch.long, device=next(student.parameters()).device)
            encoder(student)(word, output_hidden_states=True, output_attentions=True)

    def __call__(self, batch: Batch, stage: Stage):
        """Return the sum and its terms."""
        weights = self.config.loss
        attentions = bool(stage.transfer) and weights.attention > 0
        shown = {"output_hidden_states": bool(stage.transfer), "output_attentions": attentions}
        taught = None
        words = self.config.task == "text" and weights.pretrain_alpha < 1
        if self.teacher is not None and (stage.transfer or weights.soft > 0 or words):
            with torch.no_grad():
                taught = self.teacher(**batch.inputs(), **shown)
        if stage.distil:
            given = self._student(batch, shown)
        else:
            given = self._shallow(batch, stage, shown)
        terms = {}
        if stage.transfer:
            terms |= self._transfer(given, taught, batch.attention_mask, stage)
        if stage.distil:
            terms |= self.task_terms(given, taught, batch, self.config)
        return sum(getattr(weights, name) * term for name, term in terms.items()), terms

    def _student(self, batch: Batch, shown: dict):
        if not self.config.optim.quantised:
            return self.student(**batch.inputs(), **shown)
        return functional_call(self.student, quantise.rounded(self.student), (), {**batch.inputs(), **shown})

    def _shallow(self, batch: Batch, stage: Stage, shown: dict):
        # Layers above the stage's depth have no part in its loss: they are not computed.
        body = encoder(self.student)
        layers = body.encoder.layer
        # One layer at least: `transformers` shows the embedding's output as the first layer's input.
        body.encoder.layer = layers[: max(1, stage.depth)]
        try:
            return body(**batch.inputs(), **shown)
        finally:
            body.encoder.layer = layers

    def _transfer(self, given, taught, mask, stage: Stage) -> dict[str, torch.Tensor]:
        weights = self.config.loss
        own = encoder(self.student).config.num_hidden_layers
        teachers = encoder(self.teacher).config.num_hidden_layers
        found: dict[str, list[torch.Tensor]] = {"feature_maps": [], "statistics": [], "attention": []}
        for part in stage.transfer:
            other = teacher_part(part, own, teachers)
            if other is None:
                continue
            maps = given.hidden_states[part], taught.hidden_states[other], mask
            if weights.feature_maps:
                found["feature_maps"].append(losses.normalised_maps(*maps))
            if weights.statistics:
                found["statistics"].append(losses.statistics(*maps))
            if weights.attention and part > 0:
                pair = given.attentions[part - 1], taught.attentions[other - 1]
                found["attention"].append(losses.attention(*pair, mask))
        return {name: torch.stack(values).mean() for name, values in found.items() if values}
