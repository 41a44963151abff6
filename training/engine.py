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
        try:
            process = subprocess.run(command, input=text, capture_output=True, encoding="utf-8", check=False)
        except OSError as error:
            raise TrainingError(
                f"{self.program}: could not be run: {error.strerror}; set MOBILEBERT_BIN to the program `mobilebert`"
            ) from None
        if process.returncode != 0:
            lines = process.stderr.strip().splitlines() or [f"exit {process.returncode}"]
            raise TrainingError(f"{' '.join(command[:2])}: {lines[-1]}")
        return process.stdout

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
        arguments = ("--data", data, "--version", version, "--predictions", predictions)
        output = self.run("eval", "squad", "--model", model, *arguments, f"--null-threshold={null_threshold}")
        return json.loads(output.splitlines()[-1]), json.loads(predictions.read_text(encoding="utf-8"))


def find() -> Engine:
    """The engine set by `MOBILEBERT_BIN`, or else the most recent build in the target folder."""
    if program := os.environ.get("MOBILEBERT_BIN"):
        return Engine(program)
    target = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target"))
    names = [f"{profile}/mobilebert{suffix}" for profile in ("debug", "release") for suffix in ("", ".exe")]
    candidates = [target / name for name in names]
    built = [path for path in candidates if path.is_file()]
    if not built:
        raise TrainingError("engine not found; build it with `cargo build --release`, or set MOBILEBERT_BIN")
    return Engine(str(max(built, key=lambda path: path.stat().st_mtime)))
