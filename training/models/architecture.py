"""The `config.json` of a BERT or MobileBERT, with the defaults of `transformers`."""

import json
from pathlib import Path
from types import SimpleNamespace

from training.errors import TrainingError

COMMON = {
    "vocab_size": 30522,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
    "initializer_range": 0.02,
    "pad_token_id": 0,
    "tie_word_embeddings": True,
    "classifier_dropout": None,
}
DEFAULTS = {
    "bert": COMMON
    | {
        "hidden_size": 768,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
    },
    "mobilebert": COMMON
    | {
        "hidden_size": 512,
        "num_hidden_layers": 24,
        "num_attention_heads": 4,
        "intermediate_size": 512,
        "hidden_act": "relu",
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.1,
        "embedding_size": 128,
        "trigram_input": True,
        "use_bottleneck": True,
        "intra_bottleneck_size": 128,
        "use_bottleneck_attention": False,
        "key_query_shared_bottleneck": True,
        "num_feedforward_networks": 4,
        "normalization_type": "no_norm",
        "classifier_activation": True,
    },
}
LABELS = {0: "LABEL_0", 1: "LABEL_1"}
# Derived from other fields; written for `transformers`.
DERIVED = ("true_hidden_size", "num_labels")


class Architecture(SimpleNamespace):
    """The fields as attributes; unknown fields are kept and written back."""

    def __init__(self, model_type: str, **fields):
        if model_type not in DEFAULTS:
            raise TrainingError(f"model_type '{model_type}': only {' and '.join(DEFAULTS)} can be trained")
        labels = fields.pop("id2label", None) or LABELS
        fields = {name: value for name, value in fields.items() if name not in (*DERIVED, "label2id")}
        super().__init__(model_type=model_type, **DEFAULTS[model_type] | fields)
        self.id2label = {int(number): name for number, name in labels.items()}

    @property
    def num_labels(self) -> int:
        """Number of classes of a classifier; 1 for regression."""
        return len(self.id2label)

    @property
    def true_hidden_size(self) -> int:
        """Width inside a MobileBERT layer."""
        return self.intra_bottleneck_size if self.use_bottleneck else self.hidden_size

    @property
    def reads_stream(self) -> bool:
        """Return whether query and key read the inter-block stream, as in IB-BERT."""
        return (
            self.model_type == "mobilebert"
            and self.use_bottleneck
            and not self.use_bottleneck_attention
            and not self.key_query_shared_bottleneck
        )

    def to_json(self) -> dict:
        """Return the contents of `config.json`."""
        fields = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        fields["label2id"] = {name: number for number, name in self.id2label.items()}
        fields["id2label"] = {str(number): name for number, name in self.id2label.items()}
        if self.model_type == "mobilebert":
            fields["true_hidden_size"] = self.true_hidden_size
        return dict(sorted(fields.items()))


def read(directory: Path) -> Architecture:
    """The architecture of a model directory."""
    path = directory / "config.json"
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TrainingError(f"{path}: no such file") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path}: not valid JSON: {error}") from None
    if not isinstance(fields, dict) or "model_type" not in fields:
        raise TrainingError(f"{path}: 'model_type' is missing")
    return Architecture(**fields)
