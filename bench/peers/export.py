"""Creates a MobileBERT with random weights, as a model directory and, for the peer, as ONNX in f32 and int8.

    python export.py OUT [--layers 24] [--sequence 128 384]

Writes to OUT: config.json, model.safetensors, vocab.txt, tokenizer.json, model.onnx, model_quantized.onnx (what
transformers.js calls q8: weights in int8, activations quantized at run time) and inputs.json, which has for every
length a question and a context whose words are one token each, their ids, and PyTorch's logits in float64.
"""

import argparse
import json
import random
from importlib.metadata import version
from pathlib import Path

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from transformers import BertTokenizer, MobileBertConfig, MobileBertForQuestionAnswering

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = "abcdefghijklmnopqrstuvwxyz"
QUESTION_WORDS = 10


def vocabulary(size: int) -> list[str]:
    """The special tokens, followed by words of four letters."""
    words = []
    for number in range(size - len(SPECIAL)):
        word = ""
        for _ in range(4):
            number, letter = divmod(number, 26)
            word += LETTERS[letter]
        words.append(word)
    return SPECIAL + words


def model(layers: int) -> MobileBertForQuestionAnswering:
    """The paper's sizes (transformers' defaults), with weights scaled so that every layer affects the logits."""
    torch.manual_seed(1)
    config = MobileBertConfig(num_hidden_layers=layers, architectures=["MobileBertForQuestionAnswering"])
    network = MobileBertForQuestionAnswering(config).eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if parameter.dim() == 2 and "embeddings" not in name:
                parameter.normal_(0.0, 0.7 / parameter.shape[1] ** 0.5)
    return network


class Logits(torch.nn.Module):
    """The network with plain outputs."""

    def __init__(self, network: MobileBertForQuestionAnswering):
        super().__init__()
        self.network = network

    def forward(self, input_ids, attention_mask, token_type_ids):
        """Logits `[batch, sequence]`."""
        output = self.network(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids, return_dict=True
        )
        return output.start_logits, output.end_logits


def add_logits(network: MobileBertForQuestionAnswering, inputs: dict) -> None:
    """Adds the logits in float64, rounded to what a float can tell apart."""
    exact = network.double()
    for value in inputs.values():
        ids = torch.tensor([value["input_ids"]])
        with torch.inference_mode():
            output = exact(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                token_type_ids=torch.tensor([value["token_type_ids"]]),
            )
        for name in ("start_logits", "end_logits"):
            value[name] = [round(logit, 9) for logit in output[name][0].tolist()]
    network.float()


def question_and_context(words: list[str], length: int) -> dict:
    """Random words that fill `length` tokens together with [CLS] and two [SEP]."""
    generator = random.Random(length)
    ids = [generator.randrange(len(SPECIAL), len(words)) for _ in range(length - 3)]
    question, context = ids[:QUESTION_WORDS], ids[QUESTION_WORDS:]
    return {
        "question": " ".join(words[i] for i in question),
        "context": " ".join(words[i] for i in context),
        "first": QUESTION_WORDS + 2,
        "input_ids": [2, *question, 3, *context, 3],
        "token_type_ids": [0] * (QUESTION_WORDS + 2) + [1] * (len(context) + 1),
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--layers", type=int, default=24)
    arguments.add_argument("--sequence", type=int, nargs="+", default=[128, 384])
    options = arguments.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    network = model(options.layers)
    network.save_pretrained(options.out)
    words = vocabulary(network.config.vocab_size)
    (options.out / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    settings = {"do_lower_case": True, "tokenizer_class": "MobileBertTokenizer", "model_max_length": 512}
    (options.out / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    fast = BertTokenizer(vocab=str(options.out / "vocab.txt"), do_lower_case=True)
    fast.backend_tokenizer.save(str(options.out / "tokenizer.json"))

    inputs = {length: question_and_context(words, length) for length in options.sequence}
    add_logits(network, inputs)
    ids = torch.ones(1, max(options.sequence), dtype=torch.int64)
    names = ["input_ids", "attention_mask", "token_type_ids"]
    outputs = ["start_logits", "end_logits"]
    # The older exporter: the newer one took more than six minutes over 24 layers.
    torch.onnx.export(
        Logits(network).eval(),
        (ids, ids, torch.zeros_like(ids)),
        str(options.out / "model.onnx"),
        input_names=names,
        output_names=outputs,
        dynamic_axes={name: {1: "sequence"} for name in names + outputs},
        opset_version=17,
        dynamo=False,
    )
    quantized = options.out / "model_quantized.onnx"
    quantize_dynamic(options.out / "model.onnx", quantized, weight_type=QuantType.QInt8)
    versions = {name: version(name) for name in ("torch", "transformers", "onnx", "onnxscript", "onnxruntime")}
    (options.out / "inputs.json").write_text(json.dumps({"versions": versions, "inputs": inputs}), encoding="utf-8")


if __name__ == "__main__":
    main()
