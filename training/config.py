"""Configuration files: TOML parsed into typed dataclasses; unknown keys and wrong types are rejected."""

import dataclasses
import tomllib
import types
import typing
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from training.errors import TrainingError

TASKS = ("sst2", "cola", "mrpc", "stsb", "rte", "wnli", "squad", "text")
STRATEGIES = ("auxiliary", "joint", "progressive", "parallel")
HEADS = ("groups", "chosen")
SCHEDULES = ("linear", "trapezoid")
STORAGES = ("exact", "compact")


@dataclass
class Student:
    """Architecture of a model built from scratch; fields are named as in `config.json`."""

    family: str = "mobilebert"  # or "ib-bert"
    num_hidden_layers: int = 6
    hidden_size: int = 384
    embedding_size: int = 128
    intra_bottleneck_size: int = 128
    num_attention_heads: int = 4
    intermediate_size: int = 512
    num_feedforward_networks: int = 4
    normalization_type: str = "no_norm"
    hidden_act: str = "relu"
    trigram_input: bool = True
    use_bottleneck: bool = True
    use_bottleneck_attention: bool = False
    key_query_shared_bottleneck: bool = True


@dataclass
class Models:
    """Where weights come from: a directory, `run:NAME`, `models:NAME`, `shipped:NAME` or `package:NAME`."""

    init: str = ""  # checkpoint to start from; empty: build a model from `student`
    deepen_after: list[int] = field(default_factory=list)  # insert copies of these layers of `init` (models/deepen.py)
    mean_with: str = ""  # average the weights of `init` with this checkpoint's (Wortsman et al. 2022)
    mean_share: float = 0.5  # weight of `mean_with` in that average
    teacher: str = ""  # frozen teacher; also initializes the word embeddings of a student built from scratch
    second_teacher: str = ""  # soft labels are the mean of both teachers' logits (models/ensemble.py)
    word_vectors: str = "principal-components"  # or "random"


@dataclass
class Unanswerable:
    """SQuAD: fractions of the windows whose answer is removed, by kind (see `data/variants.py`)."""

    removed: float = 0.0  # the passage without the sentences that contain the answer
    neighbor: float = 0.0  # a question about the previous or next paragraph
    swapped: float = 0.0  # a name, date or number in the question replaced by another one from the passage
    negated: float = 0.0
    opposed: float = 0.0  # a word of the question replaced by its opposite or another word of its kind


@dataclass
class Opinions:
    """SST-2: fractions of the rows replaced by rule-based sentences, by kind (see `data/opinions`)."""

    sentence: float = 0.0  # a whole sentence of the training file
    negated: float = 0.0
    contrast: float = 0.0
    fact: float = 0.0  # no opinion; takes paragraphs from SQuAD's training file
    everyday: float = 0.0
    written: float = 0.0  # the row itself in everyday spelling


@dataclass
class Data:
    """Training and evaluation data."""

    max_length: int = 128
    doc_stride: int = 128
    max_question: int = 64
    limit: int = 0  # use only this many training examples; 0: all
    skip_ambiguous: bool = True  # SQuAD: leave out answers whose position is ambiguous
    replace: float = 0.0  # probability of replacing a token by one drawn by frequency
    join: float = 0.0  # fraction of the batches whose examples are joined in pairs, labeled by the teacher
    mismatch: float = 0.0  # SQuAD: fraction of windows paired with a question about another passage
    near: float = 0.0  # SQuAD: fraction of those whose question is about the same article
    everyday: float = 0.0  # SQuAD: fraction of windows replaced by an everyday text (see `data/everyday`)
    unanswerable: Unanswerable = field(default_factory=Unanswerable)
    opinions: Opinions = field(default_factory=Opinions)
    version: str = "1.1"  # SQuAD: which dev set to score
    null_threshold: float = 0.0  # SQuAD 2.0: predict no answer if its score leads by more than this
    files: list[str] = field(default_factory=list)  # plain text, relative to the data folder
    packed: str = ""  # file in the data folder's "packed" with examples tokenized by the step "pack"
    corpus: str = ""  # plain text: name of a run of the step "corpus"
    tokenizer: str = ""  # model whose tokenizer to use if there is neither `init` nor a teacher
    sequence_length: int = 128  # plain text: tokens per training sequence


@dataclass
class Loss:
    """Weights of the loss terms; a term with weight 0 is not computed."""

    raw_maps: float = 0.0  # unnormalized feature maps, relative to the variance of the teacher's
    feature_maps: float = 0.0  # normalized feature maps
    statistics: float = 0.0  # mean and standard deviation of the feature maps
    attention: float = 0.0
    soft: float = 0.0  # soft labels: the teacher's distribution
    hard: float = 1.0  # labels of the dataset
    temperature: float = 1.0
    pretraining: float = 1.0  # plain text: masked words and next-sentence prediction
    pretrain_alpha: float = 0.5  # the paper's alpha: hard labels against the teacher's; 1 without a teacher
    next_sentence: float = 1.0


@dataclass
class Transfer:
    """The transfer strategy: the paper's three, or "parallel": all layers at once on the teacher's feature maps."""

    strategy: str = "joint"
    heads: str = "groups"  # learn means of neighboring heads; "chosen": the heads that matter most
    lower_rate: float = 0.0  # progressive: learning rate factor of layers already trained
    together_rate: float = 1.0  # parallel: learning rate factor once the layers are trained together
    share: float = 0.7  # joint, progressive, parallel: fraction of the steps used for transfer


@dataclass
class Optim:
    """AdamW and its learning rate schedule."""

    lr: float = 1e-3
    steps: int = 1000  # 0: only apply `models.deepen_after` and `models.mean_with` to `models.init`
    batch_size: int = 64
    warmup: float = 0.06
    schedule: str = "linear"
    decay: float = 0.3  # trapezoid: fraction of the steps spent decaying to zero at the end
    weight_decay: float = 0.01
    beta2: float = 0.98
    clip: float = 1.0
    freeze_words: bool = False
    quantized: bool = False  # quantization-aware training with 8-bit weights


@dataclass
class Loop:
    """Checkpoints, evaluation, logs and precision of the training loop."""

    checkpoint_minutes: float = 10.0
    storage: str = "exact"  # checkpoints in 32 bits; "compact": see compact_storage.py
    log_every: int = 50
    evaluate_every: int = 0  # steps between evaluations on held-out training rows; 0: never
    held_out: int = 1000  # number of training rows held out for these evaluations
    autocast: bool = True  # bf16 on CUDA, and on CPUs if a short probe finds it faster


@dataclass
class Card:
    """Information for the model card that the runs don't record."""

    runs: list[str] = field(default_factory=list)  # earlier runs that led to this one
    hardware: str = ""
    sources: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@dataclass
class Config:
    """The complete configuration of one step."""

    name: str = ""
    task: str = "sst2"
    seed: int = 1
    student: Student = field(default_factory=Student)
    models: Models = field(default_factory=Models)
    data: Data = field(default_factory=Data)
    loss: Loss = field(default_factory=Loss)
    transfer: Transfer = field(default_factory=Transfer)
    optim: Optim = field(default_factory=Optim)
    loop: Loop = field(default_factory=Loop)
    card: Card = field(default_factory=Card)


def read(path: Path, changes: Sequence[str] = ()) -> Config:
    """Read and check one file; `changes` are `section.key=value` (or `key=value`) with values in TOML."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TrainingError(f"{path}: no such configuration file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path}: not valid TOML: {error}") from None
    for change in changes:
        _change(table, change)
    config = build(Config, table, str(path))
    check(config, str(path))
    return config


def _change(table: dict, change: str) -> None:
    name, given, value = change.partition("=")
    *sections, key = (part.strip() for part in name.split("."))
    try:
        value = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        given = ""
    if not given or not key:
        raise TrainingError(
            f"--set {change}: must be section.key=value with a value in TOML, such as optim.batch_size=8"
        )
    for section in sections:
        table = table.setdefault(section, {})
        if not isinstance(table, dict):
            raise TrainingError(f"--set {change}: '{section}' is a key, not a section")
    table[key] = value


def build(kind: type, table: dict, where: str):
    """Fill the dataclass `kind` from `table`; `where` is the location shown in error messages."""
    fields = {f.name: f for f in dataclasses.fields(kind)}
    hints = typing.get_type_hints(kind)
    values = {}
    for key, value in table.items():
        if key not in fields:
            raise TrainingError(f"{where}: unknown key '{key}' (known: {', '.join(sorted(fields))})")
        values[key] = _value(hints[key], value, f"{where}: '{key}'")
    return kind(**values)


def _value(kind, value, where: str):
    if dataclasses.is_dataclass(kind):
        if not isinstance(value, dict):
            raise TrainingError(f"{where} must be a table")
        return build(kind, value, where)
    if isinstance(kind, types.GenericAlias):
        (item,) = typing.get_args(kind)
        if not isinstance(value, list) or not all(type(v) is item for v in value):
            raise TrainingError(f"{where} must be a list of {'strings' if item is str else 'integers'}")
        return value
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise TrainingError(f"{where} must be {kind.__name__}, not {value!r}")
    return value


def check(config: Config, where: str) -> None:
    """Reject values that no step can use."""
    opinions = dataclasses.astuple(config.data.opinions)
    changed = (config.data.mismatch, config.data.everyday, *dataclasses.astuple(config.data.unanswerable))
    rules = [
        (bool(config.name), "'name' is missing: it names the folder of the run"),
        ("/" not in config.name and config.name not in (".", ".."), "'name' must be a valid folder name"),
        (config.task in TASKS, f"'task' must be one of {', '.join(TASKS)}"),
        (config.transfer.strategy in STRATEGIES, f"'strategy' must be one of {', '.join(STRATEGIES)}"),
        (config.transfer.heads in HEADS, f"'heads' must be one of {', '.join(HEADS)}"),
        (config.optim.schedule in SCHEDULES, f"'schedule' must be one of {', '.join(SCHEDULES)}"),
        (config.loop.storage in STORAGES, f"'storage' must be one of {', '.join(STORAGES)}"),
        (
            config.optim.steps > 0
            or (config.optim.steps == 0 and bool(config.models.mean_with or config.models.deepen_after)),
            "'steps' must be positive, or 0 to only apply 'mean_with' or 'deepen_after'",
        ),
        (bool(config.models.init) or not config.models.deepen_after, "'deepen_after' needs an 'init' to deepen"),
        (
            bool(config.models.teacher) or not config.models.second_teacher,
            "'second_teacher' needs a 'teacher' to be averaged with",
        ),
        (
            config.task != "text" or not config.models.second_teacher,
            "'second_teacher' can't be used with plain text",
        ),
        (0 < config.models.mean_share < 1, "'mean_share' must be between 0 and 1"),
        (config.optim.batch_size > 0, "'batch_size' must be positive"),
        (config.optim.lr > 0, "'lr' must be positive"),
        (config.loss.temperature > 0, "'temperature' must be positive"),
        (
            0 <= config.data.replace < 1 and 0 <= config.data.join <= 1,
            "'replace' and 'join' must be fractions between 0 and 1",
        ),
        (
            0 <= config.data.mismatch < 1 and 0 <= config.data.near <= 1,
            "'mismatch' and 'near' must be fractions between 0 and 1",
        ),
        (
            min(changed) >= 0 and sum(changed) < 1,
            "'mismatch', 'everyday' and 'unanswerable' can't be negative, and their sum must be below 1",
        ),
        (min(opinions) >= 0 and sum(opinions) <= 1, "'opinions' must not be negative, and their sum must be at most 1"),
        (not any(opinions) or config.task == "sst2", "'opinions' can only be used with the task sst2"),
        (0 < config.transfer.share <= 1, "'share' must be greater than 0 and at most 1"),
        (config.data.version in ("1.1", "2.0"), "'version' must be 1.1 or 2.0"),
        (8 <= config.data.max_length <= 512, "'max_length' must be between 8 and 512"),
        (
            config.data.doc_stride > 0 and config.data.max_question > 0,
            "'doc_stride' and 'max_question' must be positive",
        ),
        (
            config.task != "squad" or config.data.max_length >= config.data.max_question + 4,
            "'max_length' must leave room for 'max_question' and three special tokens",
        ),
        (config.student.family in ("mobilebert", "ib-bert"), "'family' must be mobilebert or ib-bert"),
        (
            config.models.word_vectors in ("principal-components", "random"),
            "'word_vectors' must be principal-components or random",
        ),
    ]
    for good, message in rules:
        if not good:
            raise TrainingError(f"{where}: {message}")
