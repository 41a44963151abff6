"""Converts the model of export.py for LiteRT.js: one file per length.

    python convert_litert.py MODEL [--sequence 128 384]

Needs `litert-torch` in addition to requirements.txt. Writes MODEL/litert/model_LENGTH.tflite.
"""

import argparse
from pathlib import Path

import litert_torch
import torch
from export import Logits
from transformers import MobileBertForQuestionAnswering


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("model", type=Path)
    arguments.add_argument("--sequence", type=int, nargs="+", default=[128, 384])
    options = arguments.parse_args()
    network = MobileBertForQuestionAnswering.from_pretrained(options.model, attn_implementation="eager").eval()
    folder = options.model / "litert"
    folder.mkdir(exist_ok=True)
    for length in options.sequence:
        ids = torch.ones(1, length, dtype=torch.int32)
        converted = litert_torch.convert(Logits(network).eval(), (ids, ids, torch.zeros_like(ids)))
        converted.export(str(folder / f"model_{length}.tflite"))


if __name__ == "__main__":
    main()
