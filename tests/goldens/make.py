"""Creates the goldens that `tests/parity.rs` compares both executors with: `python tests/goldens/make.py`.

Every model in `cases.py` is filled by the generator and run by `transformers` in float64. Large outputs are stored as
samples: selected rows (a row is the last axis) and columns, and the root mean square of every row. Each output is stored
with the error of `transformers` itself in float32, as max |Δ| / rms of the row: parity means within 1e-4 or twice that
error, whichever is larger.

Before anything is written, `check` makes sure that the goldens can tell right from wrong.
"""

import argparse
import copy
import json
import re
from pathlib import Path

import cases
import generator
import numpy as np
import torch
from safetensors.numpy import save_file

import models

HERE = Path(__file__).parent
TOLERANCE = 1e-4
# Outputs of up to this many values are stored completely.
WHOLE = 800
ROWS, COLUMNS = 8, 24
# Hidden states that are stored of a deep model.
DEPTHS = {0, 1, 2, 6, 12, 18, 24}


def as_rows(output: torch.Tensor) -> np.ndarray:
    """`[rows, last axis]` in float64."""
    return output.double().reshape(-1, output.shape[-1]).numpy()


def row_rms(rows: np.ndarray) -> np.ndarray:
    """The root mean square of each row."""
    return np.sqrt(np.mean(rows**2, axis=-1))


def error(exact: np.ndarray, found: np.ndarray) -> float:
    """The largest max |Δ| / rms of any row."""
    return float(np.max(np.max(np.abs(exact - found), axis=-1) / row_rms(exact)))


def chosen(name: str, count: int, limit: int) -> list[int]:
    """At most `limit` of `count` indices, including the first and the last, selected by a hash of the name."""
    if count <= limit:
        return list(range(count))
    inner = sorted(range(1, count - 1), key=lambda index: generator.mix(generator.fnv1a64(f"{name} {index}")))
    return sorted([0, *inner[: limit - 2], count - 1])


def sample(name: str, rows: np.ndarray) -> dict[str, np.ndarray]:
    """The parts of an output that are stored."""
    height, width = rows.shape
    whole = rows.size <= WHOLE
    row_index = chosen(name, height, height if whole else ROWS)
    column_index = chosen(name, width, width if whole else max(COLUMNS, 200 // len(row_index)))
    return {
        f"{name}/rows": np.array(row_index, np.uint32),
        f"{name}/columns": np.array(column_index, np.uint32),
        f"{name}/values": rows[np.ix_(row_index, column_index)].astype(np.float32),
        f"{name}/rms": row_rms(rows).astype(np.float32),
    }


def is_kept(output: str, layers: int) -> bool:
    """Return whether an output is stored: deep models omit some layers."""
    match = re.fullmatch(r"hidden_states\.(\d+)", output)
    return match is None or layers <= 6 or int(match[1]) in DEPTHS


def changed(inputs: dict, field: str, place: tuple[int, ...], limit: int) -> dict:
    """The inputs with one number replaced by a different one below `limit`."""
    other = copy.deepcopy(inputs)
    target = other[field]
    for index in place[:-1]:
        target = target[index]
    target[place[-1]] = (target[place[-1]] + 1 + (limit - 1) // 3) % limit
    return other


def head_outputs(outputs: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """Only the head's outputs, one row per sequence (per question, for multiple choice)."""
    return {
        name: value.double().reshape(value.shape[0], -1).numpy()
        for name, value in outputs.items()
        if not name.startswith(("hidden_states", "attentions"))
    }


class Degenerate(Exception):
    """Goldens that wouldn't detect an error."""


def require(condition: bool, problem: str) -> None:
    """Raises if a golden would be worthless."""
    if not condition:
        raise Degenerate(problem)


def check(case: cases.Case, model: torch.nn.Module, run: cases.Run, outputs: dict[str, torch.Tensor]) -> None:
    """Fails if a run's goldens wouldn't detect an error."""
    where = f"{case.name}:"
    for name, value in outputs.items():
        if name.startswith("hidden_states"):
            size = float(value.pow(2).mean().sqrt())
            require(0.1 < size < 20, f"{where} {name} has rms {size}: it explodes or vanishes")
    base = head_outputs(outputs)
    for name in base:
        vary = outputs[name]
        if name in ("start_logits", "end_logits") and vary.shape[-1] > 1:
            spread = float((vary.std(-1) / vary.pow(2).mean(-1).sqrt()).min())
            require(spread > 0.05, f"{where} {name} barely differs between tokens ({spread:.3g})")
    small = model.config.hidden_size < 100
    for place in places(run, 20 if small else 4):
        for field, limit, least in (
            ("input_ids", model.config.vocab_size, 10 * TOLERANCE),
            ("token_type_ids", getattr(model.config, "type_vocab_size", 1), 3 * TOLERANCE),
        ):
            if limit == 1 or (field == "token_type_ids" and not small):
                continue
            moved = head_outputs(models.outputs(model, changed(run.inputs, field, place, limit), False, False))
            for name, rows in base.items():
                row, other = rows[place[0]], moved[name][place[0]]
                change = np.max(np.abs(other - row)) / row_rms(row[None])[0]
                require(change > least, f"{where} {name} doesn't depend on {field}{list(place)} ({change:.2g})")


def places(run: cases.Run, most: int) -> list[tuple[int, ...]]:
    """Positions of attended tokens: all of a short run, a sample of a long one, including the first and the last."""
    mask = np.array(run.inputs["attention_mask"])
    found = [tuple(int(index) for index in place) for place in np.argwhere(mask == 1)]
    return [found[index] for index in chosen("places", len(found), most)]


def make(case: cases.Case, tensors: dict[str, np.ndarray]) -> dict:
    """`attempt` with the case's first seed that gives good goldens: a single logit may happen to be near zero."""
    for salt in range(10):
        case.seed = generator.fnv1a64(f"{case.name} {salt}") & 0xFFFFFFFF
        try:
            return attempt(case, tensors)
        except Degenerate as problem:
            print(f"  trying another seed: {problem}", flush=True)
    raise SystemExit(f"{case.name}: no seed gives goldens that detect every error")


def attempt(case: cases.Case, tensors: dict[str, np.ndarray]) -> dict:
    """Runs a case in both precisions, checks it, adds its samples to `tensors`; returns its entry in the index."""
    model = models.build(case.architecture, case.settings)
    weights = models.fill(model, case.seed)
    runs = []
    for shape in case.runs:
        run = cases.run(shape, model.config, case.seed)
        arguments = (run.inputs, run.hidden_states, run.attentions)
        single = models.outputs(model, *arguments)
        model.double()
        exact = models.outputs(model, *arguments)
        model.float()
        check(case, model, run, single)
        index = []
        for name, value in exact.items():
            if not is_kept(name, model.config.num_hidden_layers):
                continue
            rows = as_rows(value)
            float_error = error(rows, as_rows(single[name]))
            require(float_error < 2e-4, f"{case.name} {shape} {name}: the error of f32 itself is {float_error:.2g}")
            tensors |= sample(f"{case.name}/{shape}/{name}", rows)
            index.append({"name": name, "shape": list(value.shape), "float32_error": float(f"{float_error:.3g}")})
        runs.append(
            {
                "name": shape,
                **run.inputs,
                "hidden_states": run.hidden_states,
                "attentions": run.attentions,
                "outputs": index,
            }
        )
    return {
        "name": case.name,
        "seed": case.seed,
        "config": models.config_json(model),
        "tensors": compact(weights),
        "runs": runs,
    }


def compact(weights: list[tuple[str, list[int]]]) -> list:
    """Names and shapes in order; the layers, which are all alike, once: `layer.*.` with the number of layers."""
    layer = re.compile(r"\.layer\.(\d+)\.")
    deepest = max((int(match[1]) for name, _ in weights if (match := layer.search(name))), default=-1)
    result = []
    for name, shape in weights:
        match = layer.search(name)
        if match is None:
            result.append([name, shape])
        elif match[1] == "0":
            result.append([layer.sub(".layer.*.", name), shape, deepest + 1])
    expanded = sum(entry[2] if len(entry) == 3 else 1 for entry in result)
    assert expanded == len(weights), "layers differ"
    return result


def main() -> None:
    """Creates all goldens and writes them, or tries only those whose names contain a word."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help="try the cases whose name contains this, and write nothing")
    only = parser.parse_args().only
    tensors: dict[str, np.ndarray] = {}
    index = []
    for case in cases.VARIANTS + cases.FULL_SIZE:
        if only and only not in case.name:
            continue
        index.append(make(case, tensors))
        worst = max(output["float32_error"] for run in index[-1]["runs"] for output in run["outputs"])
        print(f"{case.name}: f32 error of transformers {worst:.1e}", flush=True)
    if only:
        return
    lines = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in index)
    (HERE / "goldens.json").write_text(f"[\n{lines}\n]\n")
    save_file(tensors, HERE / "goldens.safetensors")
    size = sum(path.stat().st_size for path in HERE.glob("goldens.*"))
    print(f"{len(index)} models, {size / 1e6:.1f} MB")


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
