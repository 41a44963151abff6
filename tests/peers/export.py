"""Makes the tiny models of this test: the files that `mobilebert` reads and the ONNX graph that transformers.js runs.

    pip install -r ../../bench/peers/requirements.txt
    python export.py

`models/` is committed, so that the test needs no PyTorch. The weights are those of `tests/goldens/generator.py`.
"""

import json
import sys
import warnings
from pathlib import Path

import torch
from transformers import BertTokenizerFast

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "goldens"))

import models

VOCABULARY = HERE.parent / "oracles" / "fixtures" / "vocab.txt"
LONGEST = 64
BERT = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": LONGEST,
}
MOBILEBERT = BERT | {
    "hidden_size": 32,
    "embedding_size": 16,
    "intra_bottleneck_size": 16,
    "true_hidden_size": 16,
    "num_feedforward_networks": 2,
}
DISTILBERT = {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32, "max_position_embeddings": LONGEST}


def labels(*names: str) -> dict:
    """A classifier's labels as a configuration names them."""
    return {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}


CASES = {
    "question-answering": ("MobileBertForQuestionAnswering", MOBILEBERT, ["start_logits", "end_logits"]),
    "text-classification": (
        "MobileBertForSequenceClassification",
        MOBILEBERT | labels("negative", "neutral", "positive"),
        ["logits"],
    ),
    "several-labels": (
        "DistilBertForSequenceClassification",
        DISTILBERT | labels("rude", "funny", "old") | {"problem_type": "multi_label_classification"},
        ["logits"],
    ),
    "token-classification": (
        "BertForTokenClassification",
        BERT | labels("O", "B-PER", "I-PER", "B-LOC", "I-LOC"),
        ["logits"],
    ),
    "fill-mask": ("MobileBertForMaskedLM", MOBILEBERT, ["logits"]),
    "feature-extraction": ("BertModel", BERT, ["last_hidden_state"]),
}


class Outputs(torch.nn.Module):
    """A network with plain inputs and outputs."""

    def __init__(self, network: torch.nn.Module, inputs: list[str], outputs: list[str]):
        super().__init__()
        self.network, self.inputs, self.outputs = network, inputs, outputs

    def forward(self, *values):
        result = self.network(**dict(zip(self.inputs, values, strict=True)), return_dict=True)
        return tuple(result[name] for name in self.outputs)


def export(folder: Path, seed: int, architecture: str, settings: dict, outputs: list[str]) -> None:
    """One model directory with `onnx/model.onnx` in it."""
    tokenizer = BertTokenizerFast(vocab=str(VOCABULARY), do_lower_case=True, model_max_length=LONGEST)
    network = models.build(architecture, settings | {"vocab_size": len(tokenizer)})
    models.fill(network, seed)
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    inputs = ["input_ids", "attention_mask"]
    if network.config.model_type != "distilbert":
        inputs.append("token_type_ids")
    ids = torch.ones(2, 16, dtype=torch.int64)
    values = {"input_ids": ids, "attention_mask": ids, "token_type_ids": torch.zeros_like(ids)}
    (folder / "onnx").mkdir(exist_ok=True)
    torch.onnx.export(
        Outputs(network, inputs, outputs).eval(),
        tuple(values[name] for name in inputs),
        str(folder / "onnx/model.onnx"),
        input_names=inputs,
        output_names=outputs,
        dynamic_axes={name: {0: "batch", 1: "sequence"} for name in inputs + outputs},
        opset_version=17,
        dynamo=False,
    )
    # Paths and versions of the machine that made them say nothing.
    config = json.loads((folder / "config.json").read_text())
    config.pop("_name_or_path", None)
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def main() -> None:
    warnings.filterwarnings("ignore")
    for seed, (name, (architecture, settings, outputs)) in enumerate(CASES.items(), start=1):
        folder = HERE / "models" / name
        folder.mkdir(parents=True, exist_ok=True)
        export(folder, seed, architecture, settings, outputs)
        print(name, sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()))


if __name__ == "__main__":
    main()
