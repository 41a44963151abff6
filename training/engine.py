"""Calls to the project's inference engine, for the steps that ship a model."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from training.errors import TrainingError
from training.folders import HERE


@dataclass(frozen=True)
class Engine:
    """The `mobilebert` executable."""

    program: str

    def run(self, *arguments: object, text: str | None = None) -> str:
        """Run a command and return its standard output; raises its error message on failure."""
        command = [self.program, *map(str, arguments)]
        ran = subprocess.run(command, input=text, capture_output=True, encoding="utf-8", check=False)
        if ran.returncode != 0:
            lines = ran.stderr.strip().splitlines() or [f"exit {ran.returncode}"]
            raise TrainingError(f"{' '.join(command[:2])}: {lines[-1]}")
        return ran.stdout

    def quantize(self, model: Path, dtype: str, out: Path) -> None:
        """Write a quantized copy of a model directory to `out`."""
        self.run("quantize", "--model", model, "--dtype", dtype, "--out", out)

    def classify(self, model: Path, texts: list[str]) -> list[dict]:
        """Labels and probabilities of each text, most probable first."""
        lines = self.run("classify", "--model", model, "--json", "-", text="\n".join(texts) + "\n").splitlines()
        if len(lines) != len(texts):
            raise TrainingError(f"{self.program} classify: {len(lines)} results for {len(texts)} texts")
        return [json.loads(line) for line in lines]

    def fill_masks(self, model: Path, texts: list[str], top: int) -> list[list[list[tuple[int, str]]]]:
        """For each mask of each text, the ids and strings of the `top` most probable words."""
        arguments = ("--model", model, "--json", "--top-k", top, "-")
        lines = self.run("fill-mask", *arguments, text="\n".join(texts) + "\n").splitlines()
        if len(lines) != len(texts):
            raise TrainingError(f"{self.program} fill-mask: {len(lines)} results for {len(texts)} texts")
        masks = [json.loads(line)["masks"] for line in lines]
        return [[[(c["token"], c["token_str"]) for c in mask["candidates"]] for mask in text] for text in masks]

    def answers(
        self, model: Path, data: Path, version: str, predictions: Path, null_threshold: float = 0.0
    ) -> tuple[dict, dict[str, str]]:
        """The official metrics on a file of questions, and the predicted answers by question id."""
        wanted = ("--data", data, "--version", version, "--predictions", predictions)
        printed = self.run("eval", "squad", "--model", model, *wanted, f"--null-threshold={null_threshold}")
        return json.loads(printed.splitlines()[-1]), json.loads(predictions.read_text(encoding="utf-8"))


def find() -> Engine:
    """The engine set by `MOBILEBERT_BIN`, or else the most recent build in the target folder."""
    if given := os.environ.get("MOBILEBERT_BIN"):
        return Engine(given)
    target = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target"))
    built = [target / kind / f"mobilebert{end}" for kind in ("debug", "release") for end in ("", ".exe")]
    found = [path for path in built if path.is_file()]
    if not found:
        raise TrainingError("engine not found; build it with `cargo build --release`, or set MOBILEBERT_BIN")
    return Engine(str(max(found, key=lambda path: path.stat().st_mtime)))
