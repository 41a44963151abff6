"""Pre-training: masked words and next-sentence prediction on plain text."""

import numpy as np
import torch

from training import losses
from training.config import Config
from training.data import batches, corpus, tokens
from training.errors import TrainingError
from training.folders import Folders
from training.tasks.task import Task

# Fraction of the tokens that are predicted; of these, the fractions that are left unchanged and that are replaced.
MASKED, KEPT, RANDOM = 0.15, 0.1, 0.1


def open_text(config: Config, folders: Folders, tokenizer) -> Task:
    """The corpus of the run that `data.corpus` names."""
    if not config.data.corpus:
        raise TrainingError(
            f"{config.name}: 'data.corpus' is missing; set it to the name of a finished run of the step 'corpus'"
        )
    return Task(TextBatches(config, corpus.load(folders.run(config.data.corpus))).at, text_terms, None)


class TextBatches:
    """Batches of `[CLS] a [SEP] b [SEP]`; in half of them b does not follow a."""

    def __init__(self, config: Config, text: corpus.Corpus):
        self.config, self.text = config, text
        if len(text.books) < 2:
            raise TrainingError(f"{config.name}: the corpus needs at least two paragraphs")

    def at(self, step: int) -> batches.Batch:
        """The batch of a step."""
        random = np.random.default_rng([self.config.seed, 3, step])
        examples, following = [], []
        for _ in range(self.config.optim.batch_size):
            example, follows = self._pair(random)
            examples.append(example)
            following.append(0 if follows else 1)
        batch = batches.pad(examples, {"next": torch.tensor(following)})
        batch.labels["words"] = mask_words(batch.input_ids, random)
        return batch

    def _pair(self, random) -> tuple[tokens.Encoded, bool]:
        room = self.config.data.sequence_length - 3
        last = len(self.text.books) - 1
        number = int(random.integers(last))
        first = self._part(number, room // 2, tail=True)
        follows = random.random() < 0.5 and self.text.books[number] == self.text.books[number + 1]
        other = number + 1 if follows else int(random.integers(last + 1))
        follows = other == number + 1
        second = self._part(other, room - len(first), tail=False)
        return tokens.assemble(first, second, room + 3), follows

    def _part(self, number: int, room: int, tail: bool) -> list[int]:
        ids = self.text.paragraph(number).tolist()
        return ids[-room:] if tail else ids[:room]


def mask_words(ids: torch.Tensor, random: np.random.Generator) -> torch.Tensor:
    """Choose 15 % of the non-special tokens, mask 80 % of them and replace 10 %, in place; returns the labels."""
    flat = ids.numpy()
    maskable = ~np.isin(flat, (tokens.PAD, tokens.CLS, tokens.SEP))
    chosen = maskable & (random.random(flat.shape) < MASKED)
    labels = np.where(chosen, flat, -100)
    draw = random.random(flat.shape)
    flat[chosen & (draw >= KEPT + RANDOM)] = tokens.MASK
    replaced = chosen & (draw < RANDOM)
    flat[replaced] = random.integers(1000, tokens.VOCABULARY, size=int(replaced.sum()))
    return torch.from_numpy(labels)


def text_terms(student_output, teacher_output, batch: batches.Batch, config: Config) -> dict[str, torch.Tensor]:
    """The paper's pre-training distillation; without a teacher, only masked words and next sentences count."""
    words, weights = batch.labels["words"], config.loss
    chosen = words != -100
    masked = losses.hard_labels(student_output.prediction_logits[chosen], words[chosen])
    follows = losses.hard_labels(student_output.seq_relationship_logits, batch.labels["next"])
    alpha, distilled = 1.0, masked * 0.0
    if teacher_output is not None and weights.pretrain_alpha < 1 and chosen.any():
        alpha = weights.pretrain_alpha
        distilled = losses.soft_labels(
            student_output.prediction_logits[chosen], teacher_output.prediction_logits[chosen]
        )
    return {"pretraining": losses.pretraining(masked, distilled, weights.next_sentence * follows, alpha)}
