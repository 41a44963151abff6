"""The configuration file: TOML into typed dataclasses; unknown keys and wrong types are refused."""

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
    """Architecture of a model built from nothing, in the names of `config.json`."""

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
    """The origin of weights: a directory, `run:NAME`, `models:NAME`, `shipped:NAME` or `package:NAME`."""

    init: str = ""  # checkpoint the trained model starts from; empty: built from `student`
    deepen_after: list[int] = field(default_factory=list)  # insert copies of these layers of `init` (models/deepen.py)
    mean_with: str = ""  # start from the mean of `init`'s weights and this checkpoint's (Wortsman et al. 2022)
    teacher: str = ""  # frozen teacher; also lends its word vectors to a student built from nothing
    word_vectors: str = "principal-components"  # or "random"


@dataclass
class Unanswerable:
    """SQuAD: shares of the windows whose answer is taken away, by kind (see `data/variants.py`)."""

    removed: float = 0.0  # the passage without the sentences that contain the answer
    neighbor: float = 0.0  # a question of the paragraph before or after
    swapped: float = 0.0  # a name, date or number of the question replaced by another of the passage's
    negated: float = 0.0
    opposed: float = 0.0  # a word of the question replaced by its opposite or another of its kind


@dataclass
class Opinions:
    """SST-2: shares of the rows replaced by sentences made by rules, by kind (see `data/opinions`)."""

    sentence: float = 0.0  # a whole sentence of the training file
    negated: float = 0.0
    contrast: float = 0.0
    fact: float = 0.0  # no opinion; needs SQuAD's training file for its paragraphs
    everyday: float = 0.0
    written: float = 0.0  # the row itself, spelled as people write


@dataclass
class Data:
    """The training examples."""

    max_length: int = 128
    doc_stride: int = 128
    max_question: int = 64
    limit: int = 0  # use only this many training examples; 0: all
    skip_ambiguous: bool = True  # SQuAD: leave out answers whose place is a guess
    replace: float = 0.0  # chance of a piece to be swapped for one drawn by frequency
    join: float = 0.0  # share of a batch's examples joined to another one, labeled by the teacher
    mismatch: float = 0.0  # SQuAD: share of windows that pair a question with a foreign passage
    near: float = 0.0  # SQuAD: share of those whose passage is of the question's own article
    everyday: float = 0.0  # SQuAD: share of windows replaced by an everyday text (see `data/everyday`)
    unanswerable: Unanswerable = field(default_factory=Unanswerable)
    opinions: Opinions = field(default_factory=Opinions)
    version: str = "1.1"  # SQuAD: which dev set is scored
    null_threshold: float = 0.0  # SQuAD 2.0: no answer where its score leads by more than this
    files: list[str] = field(default_factory=list)  # plain text, below the data folder
    packed: str = ""  # tokenized beforehand by the step "pack": a file of the data folder's "packed"
    corpus: str = ""  # plain text: the run of the step "corpus" to read
    tokenizer: str = ""  # models built from nothing and without a teacher: whose tokenizer they read
    sequence_length: int = 128  # plain text: pieces in one training sequence


@dataclass
class Loss:
    """Weights of the terms; a term of weight 0 is not computed."""

    raw_maps: float = 0.0  # the maps themselves, over the variance of the teacher's
    feature_maps: float = 0.0  # normalized maps
    statistics: float = 0.0  # mean and variance of the maps
    attention: float = 0.0
    soft: float = 0.0  # teacher's distribution
    hard: float = 1.0  # the data's labels
    temperature: float = 1.0
    pretraining: float = 1.0  # plain text: masked words and next sentence
    pretrain_alpha: float = 0.5  # the paper's alpha: the data's masked words against the teacher's; 1 without a teacher
    next_sentence: float = 1.0


@dataclass
class Transfer:
    """The strategy of the transfer: the paper's three strategies, and every layer at once on the teacher's own maps."""

    strategy: str = "joint"
    heads: str = "groups"  # student heads learn means of neighboring heads, or "chosen": the ones that matter most
    lower_rate: float = 0.0  # progressive: learning rate factor of layers already done
    together_rate: float = 1.0  # parallel: learning rate factor once the layers learn together
    share: float = 0.7  # joint, progressive, parallel: share of the steps given to transfer


@dataclass
class Optim:
    """AdamW and its schedule."""

    lr: float = 1e-3
    steps: int = 1000  # 0: only what `models.deepen_after` and `models.mean_with` make of `models.init`
    batch_size: int = 64
    warmup: float = 0.06
    schedule: str = "linear"
    decay: float = 0.3  # trapezoid: share of the steps that fall to zero at the end
    weight_decay: float = 0.01
    beta2: float = 0.98
    clip: float = 1.0
    freeze_words: bool = False
    quantized: bool = False  # train through 8-bit weights


@dataclass
class Loop:
    """Checkpoints, limits and logs around the steps."""

    checkpoint_minutes: float = 10.0
    storage: str = "exact"  # checkpoints in 32 bits, or "compact": see compact.py
    log_every: int = 50
    evaluate_every: int = 0  # steps between scores on held-out rows of the training file
    held_out: int = 1000  # rows kept back from training to look at while training
    autocast: bool = True  # bf16 on CUDA, and on CPUs where a short probe finds it faster


@dataclass
class Card:
    """The texts of the model card that the runs haven't recorded."""

    runs: list[str] = field(default_factory=list)  # earlier runs that led to this one
    hardware: str = ""
    sources: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@dataclass
class Config:
    """One step's whole configuration."""

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
    """Read and check one file; `changes` are `section.key=value` (or `key=value`), values in TOML."""
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
        raise TrainingError(f"--set {change}: must be section.key=value with a value in TOML, as optim.batch_size=8")
    for section in sections:
        table = table.setdefault(section, {})
        if not isinstance(table, dict):
            raise TrainingError(f"--set {change}: '{section}' is a key, not a section")
    table[key] = value


def build(kind: type, table: dict, where: str):
    """Fill the dataclass `kind` from `table`; `where` names the place in error messages."""
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
    """Refuse values that no step can use."""
    opinions = dataclasses.astuple(config.data.opinions)
    changed = (config.data.mismatch, config.data.everyday, *dataclasses.astuple(config.data.unanswerable))
    rules = [
        (bool(config.name), "'name' is missing: it names the folder of the run"),
        ("/" not in config.name and config.name not in (".", ".."), "'name' must be a plain word"),
        (config.task in TASKS, f"'task' must be one of {', '.join(TASKS)}"),
        (config.transfer.strategy in STRATEGIES, f"'strategy' must be one of {', '.join(STRATEGIES)}"),
        (config.transfer.heads in HEADS, f"'heads' must be one of {', '.join(HEADS)}"),
        (config.optim.schedule in SCHEDULES, f"'schedule' must be one of {', '.join(SCHEDULES)}"),
        (config.loop.storage in STORAGES, f"'storage' must be one of {', '.join(STORAGES)}"),
        (
            config.optim.steps > 0
            or (config.optim.steps == 0 and bool(config.models.mean_with or config.models.deepen_after)),
            "'steps' must be positive, or 0 where 'mean_with' or 'deepen_after' is all that is wanted",
        ),
        (bool(config.models.init) or not config.models.deepen_after, "'deepen_after' needs an 'init' to deepen"),
        (config.optim.batch_size > 0, "'batch_size' must be positive"),
        (config.optim.lr > 0, "'lr' must be positive"),
        (config.loss.temperature > 0, "'temperature' must be positive"),
        (0 <= config.data.replace < 1 and 0 <= config.data.join <= 1, "'replace' and 'join' are shares of 1"),
        (0 <= config.data.mismatch < 1 and 0 <= config.data.near <= 1, "'mismatch' and 'near' are shares of 1"),
        (
            min(changed) >= 0 and sum(changed) < 1,
            "'mismatch', 'everyday' and 'unanswerable' are shares: none below 0, and they must leave windows as is",
        ),
        (min(opinions) >= 0 and sum(opinions) <= 1, "'opinions' are shares: none below 0, at most 1 together"),
        (not any(opinions) or config.task == "sst2", "'opinions' are for the task sst2"),
        (0 < config.transfer.share <= 1, "'share' must be above 0 and at most 1"),
        (config.data.version in ("1.1", "2.0"), "'version' must be 1.1 or 2.0"),
        (8 <= config.data.max_length <= 512, "'max_length' must lie between 8 and 512"),
        (config.data.doc_stride > 0 and config.data.max_question > 0, "'doc_stride', 'max_question' must be positive"),
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
