"""The latency benchmark's network in PyTorch on the same card: eager, CUDA graphs, and `torch.compile`.

    python3 bench/peers/torch_gpu.py --seconds 90 --out rows.jsonl [--ours logits.json]

Weights and ids are those of `mobilebert bench --variant mobilebert`; the network is the training package's. Each row is
one way to run it at one length and batch size: median and p90 by CUDA events (the GPU's work) and by the wall clock
(until the logits are in host memory), and the largest |Δ| of the logits over their root mean square, against the
float64 logits of `src/benchmark/data/logits.json` and, with `--ours`, against those of `mobilebert bench --logits`.
PyTorch is given no attention mask, since no row has padding. Rows are written as they come; `--seconds` limits the
time of the whole program.

Exit code 3: not run, because there is no CUDA. `--cpu` runs one row on the processor, to try the path to the logits.
"""

import argparse
import copy
import itertools
import json
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "goldens")]

import generator  # noqa: E402, I001

from training.models.architecture import Architecture  # noqa: E402
from training.models.networks import ForQuestionAnswering  # noqa: E402

VARIANT, NOT_RUN = "mobilebert", 3
SEQUENCES, BATCHES = (128, 384, 64, 256, 512), (1, 8, 32)
# Name, type of weights and activations, whether f32 products may use TF32.
PRECISIONS = (("bf16", torch.bfloat16, False), ("f32", torch.float32, False), ("tf32", torch.float32, True))
WARM_UP, RUNS, ENOUGH = 5, 100, 0.5


def network(config: dict, seed: int) -> ForQuestionAnswering:
    """The network, filled by the generator."""
    fields = {name: value for name, value in config.items() if name != "architectures"}
    model = ForQuestionAnswering(Architecture(**fields)).eval().requires_grad_(False)
    for name, parameter in model.named_parameters():
        parameter.copy_(torch.from_numpy(generator.tensor(seed, name, tuple(parameter.shape))))
    return model


def ids(config: dict, length: int, batch: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and segments, every row the same; `tests/goldens/bench_logits.py` makes the same."""
    pieces = [7919 * (place + 1) % config["vocab_size"] for place in range(length)]
    kinds = [min(2 * place // length, config["type_vocab_size"] - 1) for place in range(length)]
    return tuple(torch.tensor([row] * batch, device=device) for row in (pieces, kinds))


def forward(model: ForQuestionAnswering) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """A plain function for the logits `[batch, sequence, 2]`, one graph for the compiler."""
    body = model.body

    def logits(pieces: torch.Tensor, kinds: torch.Tensor) -> torch.Tensor:
        stream = body.embeddings(pieces, kinds)
        for layer in body.encoder.layer:
            stream, _ = layer(stream, None, False)
        return model.qa_outputs(stream)

    return logits


def captured(run, given) -> Callable:
    """The same calls as one CUDA graph over fixed memory."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            run(*given)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = run(*given)

    def replay(*_):
        graph.replay()
        return result

    return replay


def measure(run, given) -> tuple[dict, torch.Tensor]:
    """Times in milliseconds, and the logits in float32."""
    cuda = given[0].is_cuda
    wait = torch.cuda.synchronize if cuda else lambda: None
    for _ in range(WARM_UP if cuda else 1):
        run(*given)
    wait()
    gpu, wall, began = [], [], time.monotonic()
    while not wall or (len(wall) < RUNS and time.monotonic() - began < ENOUGH):
        before = time.perf_counter()
        if cuda:
            events = [torch.cuda.Event(enable_timing=True) for _ in range(2)]
            events[0].record()
        result = run(*given)
        if cuda:
            events[1].record()
        result = result.float().cpu()
        wall.append(1e3 * (time.perf_counter() - before))
        if cuda:
            gpu.append(events[0].elapsed_time(events[1]))
    times = {"runs": len(wall), "wall_ms": middle(wall), "wall_p90_ms": p90(wall)}
    if cuda:
        times |= {"gpu_ms": middle(gpu), "gpu_p90_ms": p90(gpu)}
    return times, result


def middle(values: list[float]) -> float:
    """The median."""
    return round(statistics.median(values), 4)


def p90(values: list[float]) -> float:
    """The smallest value that nine tenths don't exceed."""
    return round(sorted(values)[max(0, -(-9 * len(values) // 10) - 1)], 4)


def off(logits: torch.Tensor, stored: dict | None, length: int) -> float | None:
    """The largest |Δ| of any row over the stored root mean square; None where nothing is stored."""
    outputs = (stored or {}).get(VARIANT, {}).get(str(length))
    if not outputs:
        return None
    worst = 0.0
    for column, name in enumerate(("start_logits", "end_logits")):
        wanted = torch.tensor(outputs[name]["values"], dtype=torch.float64)
        found = logits[:, outputs[name]["places"], column].double()
        worst = max(worst, float((found - wanted).abs().max()) / outputs[name]["rms"])
    return worst


def cases() -> Iterator[tuple]:
    """Every way to run it, those that are compared first in front; compiling one takes as long as measuring many."""
    quick, whole = ("eager", "graphs"), ("eager", "graphs", "max-autotune")
    order = [
        *itertools.product(quick, PRECISIONS, SEQUENCES, BATCHES[:1]),
        *itertools.product(quick, PRECISIONS, SEQUENCES[:2], BATCHES[1:]),
        *itertools.product(whole[2:], PRECISIONS, SEQUENCES[:2], BATCHES[:1]),
        *itertools.product(whole, PRECISIONS, SEQUENCES, BATCHES),
    ]
    yield from dict.fromkeys(order)


class Rows:
    """One JSON object per line, written as they come."""

    def __init__(self, path: Path | None):
        self.file = path.open("a", encoding="utf-8") if path else None

    def add(self, row: dict) -> None:
        """Print and write one."""
        line = json.dumps(row)
        print(line, flush=True)
        if self.file:
            self.file.write(line + "\n")
            self.file.flush()


def on_cuda(config: dict, seed: int, stored: dict, ours: dict | None, rows: Rows) -> None:
    """All rows."""
    device = torch.device("cuda")
    kinds = {kind for _, kind, _ in PRECISIONS}
    model = network(config, seed)
    models = {kind: copy.deepcopy(model).to(device, kind) for kind in kinds}
    for way, (name, kind, tf32), length, batch in cases():
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
        row = {"way": way, "precision": name, "sequence": length, "batch": batch}
        try:
            given, run, began = ids(config, length, batch, device), forward(models[kind]), time.monotonic()
            if way == "graphs":
                run = captured(run, given)
            elif way == "max-autotune":
                torch._dynamo.reset()
                run = torch.compile(run, mode="max-autotune", fullgraph=True, dynamic=False)
            times, logits = measure(run, given)
            ready = round(time.monotonic() - began, 1)
            rows.add(
                row
                | times
                | {"seconds": ready, "off_float64": off(logits, stored, length)}
                | ({"off_ours": off(logits, ours, length)} if ours else {})
            )
        except Exception as error:  # noqa: BLE001 (one way that fails leaves the others)
            rows.add(row | {"error": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"})


def on_cpu(config: dict, seed: int, stored: dict, ours: dict | None, rows: Rows) -> None:
    """One row: f32, 64 tokens."""
    times, logits = measure(forward(network(config, seed)), ids(config, 64, 1, torch.device("cpu")))
    row = {"way": "eager", "precision": "f32", "sequence": 64, "batch": 1, "device": "cpu"} | times
    rows.add(row | {"off_float64": off(logits, stored, 64), **({"off_ours": off(logits, ours, 64)} if ours else {})})


def read(path: Path) -> dict:
    """A JSON file, or one line that says what is wrong with it."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        sys.exit(f"error: {path}: {error}")


@torch.no_grad()
def main() -> int:
    """Run what the machine can."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=120.0, help="time limit; the rows so far are kept")
    parser.add_argument("--out", type=Path, help="append the rows to this file too")
    parser.add_argument("--ours", type=Path, help="logits that `mobilebert bench --logits` wrote")
    parser.add_argument("--cpu", action="store_true", help="one row on the processor")
    given = parser.parse_args()
    if not given.cpu and not torch.cuda.is_available():
        print("PyTorch finds no CUDA device", file=sys.stderr)
        return NOT_RUN
    # Compiling can't be stopped from inside: the process ends, and what is written stays.
    timer = threading.Timer(given.seconds, lambda: os._exit(0))
    timer.daemon = True
    timer.start()
    folder = ROOT / "src" / "benchmark" / "data"
    config = next(v["config"] for v in read(folder / "variants.json") if v["name"] == VARIANT)
    stored = read(folder / "logits.json")
    ours = read(given.ours) if given.ours else None
    rows = Rows(given.out)
    device = "cpu" if given.cpu else torch.cuda.get_device_name()
    rows.add({"device": device, "torch": torch.__version__, "cuda": torch.version.cuda, "allowed": stored["allowed"]})
    (on_cpu if given.cpu else on_cuda)(config, stored["seed"], stored["variants"], ours, rows)
    timer.cancel()
    return 0


if __name__ == "__main__":
    sys.exit(main())
