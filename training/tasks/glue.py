"""Classification and regression: rows of one or two texts with a label."""

import numpy as np
import torch

from training import losses
from training.config import Config
from training.data import batches, glue, tokens
from training.folders import Folders
from training.tasks import held_out
from training.tasks.task import Task


def open_glue(config: Config, folders: Folders, tokenizer) -> Task:
    """The training file of a GLUE task, with some rows held out for evaluation during training."""
    rows = glue.read_train(folders, config.task)
    held, rows = held_out.split(rows, config)
    if config.data.limit:
        rows = rows[: config.data.limit]
    encoded = tokens.encode_rows(tokenizer, rows, config.data.max_length)
    source = GlueBatches(config, rows, encoded)
    score = None
    if held:
        held_encoded = tokens.encode_rows(tokenizer, held, config.data.max_length)
        score = lambda model: held_out_score(model, held, held_encoded)  # noqa: E731
    return Task(source.at, glue_terms, score, source.order.per_epoch)


class GlueBatches:
    """Batches of rows, with augmentations whose labels come from the teacher."""

    def __init__(self, config: Config, rows: list[glue.Row], encoded: list[tokens.Encoded]):
        self.config, self.encoded = config, encoded
        self.regression = glue.FORMATS[config.task].labels is None
        self.labels = [r.label for r in rows]
        self.order = batches.Order([len(e) for e in encoded], config.optim.batch_size, config.seed)
        self.frequency = batches.piece_frequency(encoded, tokens.VOCABULARY) if config.data.replace else None

    def at(self, step: int) -> batches.Batch:
        """The batch of a step."""
        random = np.random.default_rng([self.config.seed, 2, step])
        numbers = self.order.step(step)
        examples = [self.encoded[i] for i in numbers]
        labels = torch.tensor([self.labels[i] for i in numbers])
        if not self.regression:
            labels = labels.long()
        data = self.config.data
        if data.join and random.random() < data.join:
            examples, labels = self._joined(examples, labels, random)
        batch = batches.pad(examples, {"label": labels})
        if data.replace and random.random() < 0.5:
            batches.replace_tokens(batch, data.replace, self.frequency, random)
            if not self.regression:
                labels.fill_(-100)
        return batch

    def _joined(self, examples, labels, random):
        # Concatenates pairs of texts: the training phrases are shorter than whole sentences.
        partners = random.permutation(len(examples))
        limit = self.config.data.max_length - 2
        joined = []
        for i, j in enumerate(partners):
            ids = (examples[i].ids[1:-1] + examples[j].ids[1:-1])[:limit]
            joined.append(tokens.assemble(ids, None, limit + 2))
        agree = labels == labels[torch.from_numpy(partners)]
        return joined, torch.where(agree, labels, torch.full_like(labels, -100))


def glue_terms(student_output, teacher_output, batch: batches.Batch, config: Config) -> dict[str, torch.Tensor]:
    """Soft-label and hard-label losses for classification or regression."""
    labels, weights = batch.labels["label"], config.loss
    regression = labels.is_floating_point()
    terms = {}
    if weights.hard:
        terms["hard"] = (losses.regression if regression else losses.hard_labels)(student_output.logits, labels)
    if weights.soft and teacher_output is not None:
        if regression:
            terms["soft"] = losses.regression(student_output.logits, teacher_output.logits.squeeze(-1))
        else:
            terms["soft"] = losses.soft_labels(student_output.logits, teacher_output.logits, weights.temperature)
    return terms


@torch.no_grad()
def predict_rows(model, encoded: list[tokens.Encoded], batch_size: int = 32) -> np.ndarray:
    """Logits `[rows, labels]`, computed in batches of similar length."""
    device = next(model.parameters()).device
    order = np.argsort([len(e) for e in encoded], kind="stable")
    logits = [None] * len(encoded)
    for start in range(0, len(order), batch_size):
        indices = order[start : start + batch_size]
        batch = batches.pad([encoded[i] for i in indices], {}).to(device)
        for i, row in zip(indices, model(**batch.inputs()).logits.float().cpu().numpy(), strict=True):
            logits[i] = row
    return np.stack(logits)


def held_out_score(model, rows: list[glue.Row], encoded: list[tokens.Encoded]) -> dict:
    """Accuracy (or squared error) on held-out training rows."""
    logits = predict_rows(model, encoded)
    labels = np.array([r.label for r in rows])
    if logits.shape[1] == 1:
        return {"held_out_error": float(((logits[:, 0] - labels) ** 2).mean())}
    return {"held_out_accuracy": float(100 * (logits.argmax(1) == labels).mean())}
