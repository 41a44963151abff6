"""The sections of a configuration file; every field is a key."""

from dataclasses import dataclass, field


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
class SpanCosts:
    """SQuAD: deductions from an answer's score for its length; `export` adds them to `config.json`."""

    token: float = 0.0  # each token after the first
    sentence: float = 0.0  # each end of a sentence or line inside the answer, and each colon before a space


@dataclass
class Data:
    """Training and evaluation data."""

    max_length: int = 128
    doc_stride: int = 128
    max_question: int = 64
    limit: int = 0  # use only this many training examples; 0: all
    skip_ambiguous: bool = True  # SQuAD: leave out answers whose position is ambiguous
    replace: float = 0.0  # in half of the batches, probability of replacing a token by one drawn by frequency
    join: float = 0.0  # fraction of the batches whose examples are joined in pairs, labeled by the teacher
    mismatch: float = 0.0  # SQuAD: fraction of windows paired with a question about another passage
    near: float = 0.0  # SQuAD: fraction of those whose question is about the same article
    everyday: float = 0.0  # SQuAD: fraction of windows replaced by an everyday text (see `data/everyday`)
    unanswerable: Unanswerable = field(default_factory=Unanswerable)
    opinions: Opinions = field(default_factory=Opinions)
    version: str = "1.1"  # SQuAD: which dev set to score
    null_threshold: float = 0.0  # SQuAD 2.0: predict no answer if its score leads by more than this
    span_costs: SpanCosts = field(default_factory=SpanCosts)
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
