"""Rejects configurations with values that no step can use."""

import dataclasses

from training.config.sections import Config
from training.errors import TrainingError

TASKS = ("sst2", "cola", "mrpc", "stsb", "rte", "wnli", "squad", "text")
STRATEGIES = ("auxiliary", "joint", "progressive", "parallel")
HEADS = ("groups", "chosen")
SCHEDULES = ("linear", "trapezoid")
STORAGES = ("exact", "compact")
WORD_VECTORS = ("principal-components", "random")
FAMILIES = ("mobilebert", "ib-bert")
VERSIONS = ("1.1", "2.0")
# Tasks whose examples are a single text, so that two of them can be joined.
SINGLE_TEXTS = ("sst2", "cola")

# A condition, and the error message if it doesn't hold.
Rule = tuple[bool, str]


def check(config: Config, where: str) -> None:
    """Reject a configuration with an invalid value; `where` is the location shown in the error message."""
    for valid, message in (*_general(config), *_models(config), *_data(config), *_training(config)):
        if not valid:
            raise TrainingError(f"{where}: {message}")


def _general(config: Config) -> list[Rule]:
    return [
        (bool(config.name), "'name' is missing: it names the folder of the run"),
        ("/" not in config.name and config.name not in (".", ".."), "'name' must be a valid folder name"),
        _one_of("task", config.task, TASKS),
        (config.seed >= 0, "'seed' can't be negative"),
    ]


def _models(config: Config) -> list[Rule]:
    models = config.models
    return [
        _one_of("family", config.student.family, FAMILIES),
        _one_of("word_vectors", models.word_vectors, WORD_VECTORS),
        (bool(models.init) or not models.deepen_after, "'deepen_after' needs an 'init' to deepen"),
        (bool(models.teacher) or not models.second_teacher, "'second_teacher' needs a 'teacher' to be averaged with"),
        (config.task != "text" or not models.second_teacher, "'second_teacher' can't be used with plain text"),
        (0 < models.mean_share < 1, "'mean_share' must be between 0 and 1"),
    ]


def _data(config: Config) -> list[Rule]:
    data = config.data
    opinions = dataclasses.astuple(data.opinions)
    replaced = (data.mismatch, data.everyday, *dataclasses.astuple(data.unanswerable))
    return [
        (0 <= data.replace < 1 and 0 <= data.join <= 1, "'replace' and 'join' must be fractions between 0 and 1"),
        (not data.join or config.task in SINGLE_TEXTS, f"'join' can only be used with {' and '.join(SINGLE_TEXTS)}"),
        (0 <= data.mismatch < 1 and 0 <= data.near <= 1, "'mismatch' and 'near' must be fractions between 0 and 1"),
        (
            min(replaced) >= 0 and sum(replaced) < 1,
            "'mismatch', 'everyday' and 'unanswerable' can't be negative, and their sum must be below 1",
        ),
        (min(opinions) >= 0 and sum(opinions) <= 1, "'opinions' must not be negative, and their sum must be at most 1"),
        (not any(opinions) or config.task == "sst2", "'opinions' can only be used with the task sst2"),
        (
            not data.packed or (config.task != "text" and not any(opinions)),
            "'packed' can't be used with plain text or 'opinions'",
        ),
        _one_of("version", data.version, VERSIONS),
        (data.limit >= 0, "'limit' can't be negative; 0 uses all examples"),
        (8 <= data.sequence_length <= 512, "'sequence_length' must be between 8 and 512"),
        (8 <= data.max_length <= 512, "'max_length' must be between 8 and 512"),
        (data.doc_stride > 0 and data.max_question > 0, "'doc_stride' and 'max_question' must be positive"),
        (
            config.task != "squad" or data.max_length >= data.max_question + 4,
            "'max_length' must leave room for 'max_question' and three special tokens",
        ),
    ]


def _training(config: Config) -> list[Rule]:
    optim, models, loop = config.optim, config.models, config.loop
    return [
        _one_of("strategy", config.transfer.strategy, STRATEGIES),
        _one_of("heads", config.transfer.heads, HEADS),
        (0 < config.transfer.share <= 1, "'share' must be greater than 0 and at most 1"),
        (config.loss.temperature > 0, "'temperature' must be positive"),
        (min(dataclasses.astuple(config.loss)) >= 0, "the weights in 'loss' can't be negative"),
        (config.loss.pretrain_alpha <= 1, "'pretrain_alpha' must be between 0 and 1"),
        _one_of("schedule", optim.schedule, SCHEDULES),
        (
            optim.steps > 0 or (optim.steps == 0 and bool(models.mean_with or models.deepen_after)),
            "'steps' must be positive, or 0 to only apply 'mean_with' or 'deepen_after'",
        ),
        (optim.batch_size > 0, "'batch_size' must be positive"),
        (optim.lr > 0 and optim.clip > 0, "'lr' and 'clip' must be positive"),
        (0 <= optim.warmup <= 1 and 0 <= optim.decay <= 1, "'warmup' and 'decay' must be fractions between 0 and 1"),
        (optim.weight_decay >= 0, "'weight_decay' can't be negative"),
        (0 <= optim.beta2 < 1, "'beta2' must be at least 0 and less than 1"),
        _one_of("storage", loop.storage, STORAGES),
        (loop.log_every > 0, "'log_every' must be positive"),
        (loop.evaluate_every >= 0 and loop.held_out >= 0, "'evaluate_every' and 'held_out' can't be negative"),
    ]


def _one_of(key: str, value: str, allowed: tuple[str, ...]) -> Rule:
    return value in allowed, f"'{key}' must be one of {', '.join(allowed)}"
