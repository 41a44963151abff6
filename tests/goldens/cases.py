"""The models that are compared with `transformers`, and their inputs."""

from dataclasses import dataclass

import generator

# Sizes that aren't multiples of anything.
ODD = {
    "vocab_size": 97,
    "hidden_size": 52,
    "embedding_size": 29,
    "intra_bottleneck_size": 39,
    "num_attention_heads": 3,
    "intermediate_size": 37,
    "num_hidden_layers": 3,
    "max_position_embeddings": 40,
}
BERT = {
    "vocab_size": 101,
    "hidden_size": 60,
    "num_attention_heads": 5,
    "intermediate_size": 83,
    "num_hidden_layers": 3,
    "max_position_embeddings": 40,
}
DISTIL = {
    "vocab_size": 89,
    "dim": 60,
    "n_heads": 4,
    "hidden_dim": 77,
    "n_layers": 3,
    "max_position_embeddings": 40,
}
IB = {
    **ODD,
    "intra_bottleneck_size": 72,
    "num_attention_heads": 4,
    "num_feedforward_networks": 1,
    "key_query_shared_bottleneck": False,
    "normalization_type": "layer_norm",
    "hidden_act": "gelu",
}
MINILM = {
    "hidden_size": 384,
    "num_attention_heads": 12,
    "intermediate_size": 1536,
    "num_hidden_layers": 6,
}
SHAPES = ("small", "single", "unpadded")


@dataclass
class Case:
    """A model with its seed and the names of its inputs."""

    name: str
    architecture: str
    settings: dict
    runs: tuple[str, ...] = SHAPES
    seed: int = 0


def mobilebert(name: str, head: str, base: dict = ODD, runs: tuple[str, ...] = SHAPES, **settings) -> Case:
    """A MobileBERT: `base` with overrides."""
    return Case(f"mobilebert-{name}", f"MobileBert{head}", {**base, **settings}, runs)


QA, SEQUENCE, TOKEN = "ForQuestionAnswering", "ForSequenceClassification", "ForTokenClassification"
MLM, PRETRAINING = "ForMaskedLM", "ForPreTraining"
NSP, CHOICE, ENCODER = "ForNextSentencePrediction", "ForMultipleChoice", "Model"

FULL_SIZE = [
    mobilebert("full-qa", QA, {}, ("wide", "single", "odd", "longest")),
    mobilebert("full-pretraining", PRETRAINING, {}, ("wide",)),
    mobilebert("full-without-opt", SEQUENCE, {}, ("wide", "odd"), normalization_type="layer_norm", hidden_act="gelu"),
    mobilebert("full-tiny", SEQUENCE, {}, ("wide", "odd"), use_bottleneck_attention=True, num_feedforward_networks=2),
    Case("bert-base-mlm", f"Bert{MLM}", {}, ("wide",)),
    Case("bert-minilm-qa", f"Bert{QA}", MINILM, ("wide", "odd", "longest")),
    Case("distilbert-base-classes", f"DistilBert{SEQUENCE}", {"num_labels": 2}, ("wide",)),
    mobilebert(
        "ib-bert-wide",
        QA,
        {**IB, "embedding_size": 128, "vocab_size": 997, "hidden_size": 512, "max_position_embeddings": 128},
        ("wide",),
        intra_bottleneck_size=1024,
        intermediate_size=4096,
    ),
]

VARIANTS = [
    mobilebert("odd-qa", QA),
    mobilebert("no-bottleneck", SEQUENCE, use_bottleneck=False, hidden_size=48, num_labels=5),
    mobilebert(
        "bottleneck-attention",
        TOKEN,
        use_bottleneck_attention=True,
        key_query_shared_bottleneck=False,
        num_feedforward_networks=2,
        num_labels=7,
    ),
    mobilebert("bottleneck-attention-unused-share", MLM, use_bottleneck_attention=True),
    mobilebert("no-sharing", NSP, key_query_shared_bottleneck=False, hidden_size=39),
    mobilebert("no-trigram", CHOICE, trigram_input=False, runs=("choices",)),
    mobilebert("no-transformation", PRETRAINING, trigram_input=False, embedding_size=52),
    mobilebert("trigram-of-equal-widths", MLM, embedding_size=52),
    mobilebert("layer-norm-relu", SEQUENCE, normalization_type="layer_norm", num_labels=1),
    mobilebert("layer-norm-gelu", ENCODER, normalization_type="layer_norm", hidden_act="gelu"),
    mobilebert("layer-norm-epsilon", QA, normalization_type="layer_norm", layer_norm_eps=0.03),
    mobilebert(
        "no-norm-gelu",
        SEQUENCE,
        hidden_act="gelu",
        num_labels=3,
        problem_type="multi_label_classification",
    ),
    mobilebert("first-token", SEQUENCE, classifier_activation=False, num_labels=2),
    mobilebert("first-token-encoder", ENCODER, classifier_activation=False, hidden_act="silu"),
    mobilebert("one-of-each", QA, num_hidden_layers=1, num_attention_heads=1, num_feedforward_networks=1),
    mobilebert("heads-of-one", TOKEN, num_attention_heads=39, num_labels=1, hidden_act="gelu_new"),
    mobilebert("seven-ffns", QA, num_feedforward_networks=7, num_hidden_layers=2),
    mobilebert("four-types", NSP, type_vocab_size=4),
    mobilebert("one-type", SEQUENCE, type_vocab_size=1, num_labels=4),
    mobilebert("odd-pretraining", PRETRAINING),
    mobilebert("untied", MLM, tie_word_embeddings=False),
    mobilebert("power-of-two", QA, hidden_size=64, embedding_size=16, intra_bottleneck_size=32, num_attention_heads=4),
    mobilebert("ib-bert", QA, IB),
    mobilebert("ib-bert-narrow", SEQUENCE, IB, intra_bottleneck_size=20, num_labels=3, normalization_type="no_norm"),
    mobilebert("no-bottleneck-layer-norm", MLM, use_bottleneck=False, hidden_size=48, normalization_type="layer_norm"),
    Case("bert-qa", f"Bert{QA}", BERT),
    Case("bert-classes", f"Bert{SEQUENCE}", {**BERT, "num_labels": 5, "hidden_act": "gelu_new"}),
    Case("bert-regression", f"Bert{SEQUENCE}", {**BERT, "num_labels": 1, "problem_type": "regression"}),
    Case("bert-tokens", f"Bert{TOKEN}", {**BERT, "num_labels": 9, "layer_norm_eps": 0.01}),
    Case("bert-mlm", f"Bert{MLM}", BERT),
    Case("bert-untied", f"Bert{MLM}", {**BERT, "tie_word_embeddings": False, "hidden_act": "relu"}),
    Case("bert-pretraining", f"Bert{PRETRAINING}", BERT),
    Case("bert-next-sentence", f"Bert{NSP}", {**BERT, "type_vocab_size": 3}),
    Case("bert-choice", f"Bert{CHOICE}", BERT, ("choices",)),
    Case("bert-encoder", f"Bert{ENCODER}", BERT),
    Case("distilbert-qa", f"DistilBert{QA}", DISTIL),
    Case("distilbert-classes", f"DistilBert{SEQUENCE}", {**DISTIL, "num_labels": 3, "activation": "relu"}),
    Case("distilbert-tokens", f"DistilBert{TOKEN}", {**DISTIL, "num_labels": 4}),
    Case("distilbert-mlm", f"DistilBert{MLM}", DISTIL),
    Case("distilbert-choice", f"DistilBert{CHOICE}", DISTIL, ("choices",)),
    Case("distilbert-encoder", f"DistilBert{ENCODER}", {**DISTIL, "sinusoidal_pos_embds": True}),
]


@dataclass
class Run:
    """Inputs, and the outputs requested besides the head's."""

    inputs: dict[str, list]
    hidden_states: bool
    attentions: bool


def run(shape: str, config, seed: int) -> Run:
    """The inputs with a given name, for a model."""
    longest = config.max_position_embeddings
    types = getattr(config, "type_vocab_size", 1)
    # Number of real tokens in each sequence; all are padded to the length of the first.
    lengths, states = {
        "small": ([11, 7, 3], True),
        "single": ([1], False),
        "unpadded": ([23], False),
        "wide": ([16, 10], True),
        "odd": ([133, 77], False),
        "longest": ([longest], False),
        "choices": ([9, 9, 5, 8, 2, 9], False),
    }[shape]
    width = lengths[0]
    ids, masks, token_types = [], [], []
    for row, length in enumerate(lengths):
        bits = [generator.mix(generator.fnv1a64(f"{seed} {shape} {row} {token}")) for token in range(width)]
        real = range(length)
        ids.append([bits[t] % config.vocab_size if t in real else 0 for t in range(width)])
        token_types.append([(t * types // length) if t in real else 0 for t in range(width)])
        # The second sequence's mask also has holes before its tail.
        masks.append([int(t in real and not (row == 1 and t % 4 == 2)) for t in range(width)])
    inputs = {"input_ids": ids, "attention_mask": masks, "token_type_ids": token_types}
    if shape == "choices":
        inputs = {name: [rows[:3], rows[3:]] for name, rows in inputs.items()}
    return Run(inputs, hidden_states=states, attentions=states and shape == "small")
