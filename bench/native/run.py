"""Time this project's CPU executor against onnxruntime, PyTorch and rten on the same weights: medians of runs in turns.

    python run.py MODEL --quantized DIRECTORY --own PROGRAM [--rten PROGRAM] [--threads 1 2] [--runs 20] [--json]

MODEL is the output of `../peers/export.py`, DIRECTORY a q8 copy of it (`mobilebert quantize`), PROGRAM the example
`native` and the program in `rten/`; `cargo xtask bench --native` makes them all. Every engine is a process that answers
one request per line. Fails if our logits differ too much from PyTorch's in f32.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
WARM_UP = 3
# Largest allowed difference from PyTorch's f32 logits, over their root mean square. Eight bits cost a tenth or two.
TOLERANCE = {"f32": 1e-4, "8 bits": 0.5}


class Engine:
    """A process that runs the model."""

    def __init__(self, command: list):
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([str(part) for part in command], stdin=pipe, stdout=pipe, text=True)

    def run(self, request: dict) -> dict:
        """One request, one answer."""
        print(json.dumps(request), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.process.args} ended with exit code {self.process.wait()}")
        return json.loads(line)

    def close(self) -> None:
        """Wait for its end."""
        self.process.stdin.close()
        self.process.wait()


def commands(options: argparse.Namespace, dtype: str, threads: int) -> dict[str, list]:
    """The command line of every engine, ours first."""
    python = [sys.executable, HERE / "engine.py"]
    directory, file = {
        "f32": (options.model, options.model / "model.onnx"),
        "8 bits": (options.quantized, options.model / "model_quantized.onnx"),
    }[dtype]
    engines = {
        "mobilebert": [options.own, directory, threads],
        "onnxruntime": [*python, "onnxruntime", file, threads],
    }
    if options.rten:
        engines["rten"] = [options.rten, file, threads]
    if dtype == "f32":
        engines["pytorch"] = [*python, "pytorch", options.model, threads]
    return engines


def logits(answer: dict) -> list[float]:
    return answer["start"] + answer["end"]


def difference(found: list[float], expected: list[float]) -> float:
    """The largest difference over the root mean square."""
    rms = statistics.fmean(value * value for value in expected) ** 0.5
    return max(abs(a - b) for a, b in zip(found, expected, strict=True)) / rms


def measure(engines: dict[str, Engine], request: dict, runs: int) -> tuple[dict[str, float], dict[str, dict]]:
    """Median milliseconds and the last answer of every engine."""
    times = {name: [] for name in engines}
    answers = {}
    for run in range(WARM_UP + runs):
        for name, engine in engines.items():
            answers[name] = engine.run(request)
            if run >= WARM_UP:
                times[name].append(answers[name]["ms"])
    return {name: statistics.median(values) for name, values in times.items()}, answers


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("model", type=Path)
    arguments.add_argument("--quantized", type=Path, required=True)
    arguments.add_argument("--own", type=Path, required=True)
    arguments.add_argument("--rten", type=Path)
    arguments.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    arguments.add_argument("--runs", type=int, default=20)
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()
    inputs = json.loads((options.model / "inputs.json").read_text())["inputs"]
    requests = {
        length: {name: value[name] for name in ("input_ids", "token_type_ids")} for length, value in inputs.items()
    }
    reference = Engine([sys.executable, HERE / "engine.py", "pytorch", options.model, 1])
    expected = {length: logits(reference.run(request)) for length, request in requests.items()}
    reference.close()

    versions = {name: version(name) for name in ("onnxruntime", "torch", "transformers")}
    machine = {"cpu": processor(), "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}
    rows = []
    for dtype in TOLERANCE:
        for threads in options.threads:
            engines = {name: Engine(command) for name, command in commands(options, dtype, threads).items()}
            for length, request in requests.items():
                medians, answers = measure(engines, request, options.runs)
                differences = {name: difference(logits(answers[name]), expected[length]) for name in engines}
                best = min(value for name, value in medians.items() if name != "mobilebert")
                row = {"dtype": dtype, "threads": threads, "sequence": int(length), "ms": medians}
                rows.append(row | {"difference": differences, "ratio": medians["mobilebert"] / best})
            for engine in engines.values():
                engine.close()
    report(rows, versions, machine, options.json)


def report(rows: list[dict], versions: dict, machine: dict, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"versions": versions, "machine": machine, "rows": rows}))
    else:
        print(", ".join(f"{name} {number}" for name, number in versions.items()))
        print(f"{machine['cpu']}, {machine['cores']} cores, load {machine['load']}; medians in ms")
        print("dtype   threads tokens   ratio to the best other   medians (difference from PyTorch in f32 / rms)")
        for row in rows:
            engines = [f"{n} {ms:.1f} ({row['difference'][n]:.0e})" for n, ms in row["ms"].items()]
            print(
                f"{row['dtype']:7} {row['threads']:7} {row['sequence']:6} {row['ratio']:15.2f}            ",
                "  ".join(engines),
            )
    wrong = [row for row in rows if not row["difference"]["mobilebert"] <= TOLERANCE[row["dtype"]]]
    for row in wrong:
        print(f"our logits differ too much: {row['dtype']}, {row['sequence']} tokens", file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
