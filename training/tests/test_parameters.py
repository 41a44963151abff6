"""Parameter counts in Table 1 of the paper.

The counts include embeddings and layers, without pooler and head. The paper doesn't say what it counts; its figures
are within 3 % of these. BERT is counted with its pooler, as its authors do.
"""

import pytest
import torch

from training.config import Student
from training.errors import TrainingError
from training.models import build as models
from training.models import ibbert
from training.models.architecture import Architecture
from training.models.bert import Bert

FULL = {"num_hidden_layers": 24, "hidden_size": 512}
VARIANTS = {
    "MobileBERT": (Student(**FULL), 24_581_888, 25.3e6),
    "MobileBERT without OPT": (
        Student(**FULL, normalization_type="layer_norm", hidden_act="gelu"),
        24_581_888,
        25.3e6,
    ),
    "MobileBERT-TINY": (
        Student(**FULL, num_feedforward_networks=2, use_bottleneck_attention=True, key_query_shared_bottleneck=False),
        15_485_696,
        15.1e6,
    ),
    "IB-BERT-LARGE": (ibbert.large(), 294_205_184, 293e6),
}


def count(model, without=("pooler",)):
    return sum(p.numel() for n, p in model.named_parameters() if not any(w in n for w in without))


@pytest.mark.parametrize("name", VARIANTS)
def test_encoder_parameter_counts(name):
    student, expected, paper = VARIANTS[name]
    with torch.device("meta"):
        model = models.build(models.student_config(student, "sst2"), "sst2")
    counted = count(models.encoder(model))
    assert counted == expected
    assert abs(counted / paper - 1) < 0.03


@pytest.mark.parametrize(
    ("sizes", "expected", "paper"),
    [((768, 12, 12, 3072), 109_482_240, 109e6), ((1024, 24, 16, 4096), 335_141_888, 334e6)],
)
def test_bert_parameter_counts(sizes, expected, paper):
    width, layers, heads, inner = sizes
    with torch.device("meta"):
        config = Architecture(
            "bert", hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads, intermediate_size=inner
        )
        counted = count(Bert(config, pooler=True), without=())
    assert counted == expected
    assert abs(counted / paper - 1) < 0.01


def test_ib_bert_reads_the_narrow_stream():
    student = Student(
        family="ib-bert",
        num_hidden_layers=1,
        hidden_size=24,
        embedding_size=8,
        intra_bottleneck_size=32,
        num_attention_heads=4,
        intermediate_size=40,
        num_feedforward_networks=1,
        normalization_type="layer_norm",
        hidden_act="gelu",
        key_query_shared_bottleneck=False,
    )
    model = models.build(models.student_config(student, "sst2"), "sst2")
    attention = model.mobilebert.encoder.layer[0].attention.self
    assert [tuple(getattr(attention, n).weight.shape) for n in ("query", "key", "value")] == [(32, 24)] * 3
    assert model(input_ids=torch.tensor([[101, 1000, 102]])).logits.shape == (1, 2)


def test_ib_bert_rejects_bottlenecked_queries():
    with pytest.raises(TrainingError, match="ib-bert"):
        models.student_config(Student(family="ib-bert"), "sst2")
