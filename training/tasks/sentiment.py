"""Sentiment: SST-2's phrases, some of them replaced by rule-based sentences (see `data/opinions`)."""

import dataclasses

import numpy as np
import torch

from training import losses
from training.config import Config
from training.data import batches, glue, opinions, squad, tokens
from training.data.opinions import writing
from training.folders import Folders
from training.tasks.glue import GlueBatches, glue_terms, held_out_score
from training.tasks.task import Task

# Phrases of held-out sentences with at least this many words are excluded from training.
LEAST_WORDS = 2


def open_sentiment(config: Config, folders: Folders, tokenizer) -> Task:
    """The training file without the held-out sentences, and with rule-based ones."""
    held, rows = split(glue.read_train(folders, "sst2"), config.loop.held_out)
    if config.data.limit:
        rows = rows[: config.data.limit]
    paragraphs = squad.read_train(folders, False).paragraphs if config.data.opinions.fact else []
    source = SentimentBatches(config, rows, tokenizer, opinions.SentenceGenerator(rows, paragraphs))
    score = None
    if held and config.loop.evaluate_every:
        encoded = tokens.encode_rows(tokenizer, held, config.data.max_length)
        score = lambda model: held_out_score(model, held, encoded)  # noqa: E731
    return Task(source.at, sentiment_terms, score, source.order.per_epoch)


def split(rows: list[glue.Row], count: int) -> tuple[list[glue.Row], list[glue.Row]]:
    """Split off `count` whole sentences and drop the rows that are part of one; independent of the seed."""
    sentences = [row for row in rows if len(row.first.split()) >= 8 and row.first.endswith(" .")]
    drawn = np.random.default_rng(0).permutation(len(sentences))[:count]
    held = [sentences[i] for i in drawn]
    parts = set()
    for row in held:
        words = row.first.split()
        for start in range(len(words)):
            parts.update(" ".join(words[start:end]) for end in range(start + LEAST_WORDS, len(words) + 1))
    return held, [row for row in rows if row.first not in parts]


class SentimentBatches:
    """Batches of phrases, some of them replaced by rule-based sentences whose labels are probabilities."""

    def __init__(self, config: Config, rows: list[glue.Row], tokenizer, generator: opinions.SentenceGenerator):
        self.config, self.tokenizer, self.generator, self.rows = config, tokenizer, generator, rows
        encoded = tokens.encode_rows(tokenizer, rows, config.data.max_length)
        self.phrases = GlueBatches(config, rows, encoded)
        self.order = self.phrases.order
        fractions = dataclasses.asdict(config.data.opinions)
        self.kinds = [(kind, fraction) for kind, fraction in fractions.items() if fraction > 0]
        generator.check(kind for kind, _ in self.kinds)

    def at(self, step: int) -> batches.Batch:
        """The batch of a step. `wanted` `[rows, 2]`: target probabilities of rule-based sentences, else NaN."""
        random = np.random.default_rng([self.config.seed, 3, step])
        batch = self.phrases.at(step)
        numbers = self.order.step(step)
        examples = [
            tokens.Encoded(ids[mask > 0].tolist(), types[mask > 0].tolist())
            for ids, types, mask in zip(batch.input_ids, batch.token_type_ids, batch.attention_mask, strict=True)
        ]
        label = batch.labels["label"].clone()
        targets = torch.full((len(examples), 2), torch.nan)
        texts = {}
        for row, number in enumerate(numbers):
            sentence = self._draw(self.rows[number], random)
            if sentence is not None:
                texts[row], label[row] = sentence.text, -100
                targets[row] = torch.tensor([1 - sentence.positive, sentence.positive])
        generated = tokens.encode_rows(
            self.tokenizer, [glue.Row(text, None, 0.0) for text in texts.values()], self.config.data.max_length
        )
        for row, example in zip(texts, generated, strict=True):
            examples[row] = example
        return batches.pad(examples, {"label": label, "wanted": targets, "taught": targets.isnan().any(-1)})

    def _draw(self, row: glue.Row, random) -> opinions.Sentence | None:
        position = random.random()
        for kind, fraction in self.kinds:
            if position < fraction:
                if kind == "written":
                    return opinions.Sentence(writing.vary(row.first, random), float(row.label))
                return self.generator.draw(kind, random)
            position -= fraction
        return None


def sentiment_terms(student_output, teacher_output, batch: batches.Batch, config: Config) -> dict[str, torch.Tensor]:
    """Soft-label and hard-label losses; rule-based sentences only have hard labels."""
    use_teacher = batch.labels["taught"]
    terms = glue_terms(student_output, None, batch, config)
    if config.loss.hard:
        # Both are means over their rows, so they are weighted by row counts.
        labeled, generated = int((batch.labels["label"] != -100).sum()), int((~use_teacher).sum())
        loss = losses.target_probabilities(student_output.logits, batch.labels["wanted"])
        terms["hard"] = (labeled * terms["hard"] + generated * loss) / max(1, labeled + generated)
    if config.loss.soft:
        if teacher_output is None or not use_teacher.any():
            terms["soft"] = student_output.logits.sum() * 0.0
        else:
            terms["soft"] = losses.soft_labels(
                student_output.logits[use_teacher], teacher_output.logits[use_teacher], config.loss.temperature
            )
    return terms
