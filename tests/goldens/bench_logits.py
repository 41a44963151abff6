"""Creates `src/benchmark/data/logits.json`, the reference for runs of the latency page and `mobilebert bench`:
`cargo xtask goldens bench`.

Every variant in `src/benchmark/data/variants.json` is filled by the generator and run by `transformers` in float64 on fixed
ids. Each output is stored as a sample: `SAMPLES` positions, their values, and the root mean square of the whole row.
A run is correct if the largest |Δ| over that root mean square is at most `allowed`.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

import models

FOLDER = Path(__file__).parents[2] / "src/benchmark/data"
SEED = 1
SEQUENCES = (64, 128, 256, 384, 512)
SAMPLES = 16
# Ten times the tolerance of the parity tests: a phone's GPU may compute exponentials less precisely than those tested here.
ALLOWED = 1e-3


def inputs(length: int, vocabulary: int, types: int) -> dict[str, list]:
    """The ids for a length; `src/benchmark/mod.rs` generates the same."""
    return {
        "input_ids": [[7919 * (place + 1) % vocabulary for place in range(length)]],
        "token_type_ids": [[min(2 * place // length, types - 1) for place in range(length)]],
        "attention_mask": [[1] * length],
    }


def rows(model: torch.nn.Module, given: dict[str, list]) -> dict[str, np.ndarray]:
    """The head's outputs for one sequence, in float64."""
    outputs = models.outputs(model, given, hidden_states=False, attentions=False)
    return {name: value.double().reshape(-1).numpy() for name, value in outputs.items()}


def rms(row: np.ndarray) -> float:
    """The root mean square."""
    return float(np.sqrt(np.mean(row**2)))


def difference(exact: dict[str, np.ndarray], found: dict[str, np.ndarray]) -> float:
    """The largest |Δ| of any output over its root mean square."""
    return max(float(np.max(np.abs(exact[name] - found[name]))) / rms(exact[name]) for name in exact)


def rounded(value: float) -> float:
    """Rounded to eight significant digits, more than f32 has."""
    return float(f"{value:.8g}")


def sample(row: np.ndarray) -> dict:
    """The parts of an output that are stored."""
    places = np.linspace(0, len(row) - 1, SAMPLES).round().astype(int)
    return {
        "places": places.tolist(),
        "values": [rounded(row[place]) for place in places],
        "rms": rounded(rms(row)),
    }


def variant(entry: dict) -> dict:
    """The stored logits of one variant, by length."""
    config = entry["config"]
    settings = {name: value for name, value in config.items() if name not in ("model_type", "architectures")}
    model = models.build(config["architectures"][0], settings)
    models.fill(model, SEED)
    given = inputs(SEQUENCES[0], config["vocab_size"], config["type_vocab_size"])
    single = rows(model, given)
    model = model.double()
    exact = rows(model, given)
    given["input_ids"][0][SEQUENCES[0] // 2] += 1
    float32, other_token = difference(exact, single), difference(exact, rows(model, given))
    print(f"{entry['name']}: float32 differs by {float32:.1e}, one changed token by {other_token:.1e}")
    if float32 > ALLOWED / 10 or other_token < 10 * ALLOWED:
        raise SystemExit(f"{entry['name']}: {ALLOWED} doesn't tell right from wrong")
    stored = {}
    for length in SEQUENCES:
        exact = rows(model, inputs(length, config["vocab_size"], config["type_vocab_size"]))
        stored[str(length)] = {name: sample(row) for name, row in exact.items()}
    return stored


def main() -> None:
    """Creates the file."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    variants = json.loads((FOLDER / "variants.json").read_text())
    stored = {
        "seed": SEED,
        "allowed": ALLOWED,
        "variants": {entry["name"]: variant(entry) for entry in variants},
    }
    (FOLDER / "logits.json").write_text(json.dumps(stored, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
