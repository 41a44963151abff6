"""The script that measures PyTorch on a GPU: its logits on the CPU, and its behavior without CUDA."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STORED = ROOT / "src" / "benchmark" / "data" / "logits.json"


def run(*arguments: object) -> subprocess.CompletedProcess:
    """Run the script without a GPU."""
    command = [sys.executable, str(ROOT / "bench" / "peers" / "torch_gpu.py"), *map(str, arguments)]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_logits_are_compared_with_stored_ones_and_ours(tmp_path):
    stored = json.loads(STORED.read_text())
    ours = {"mobilebert": {"64": stored["variants"]["mobilebert"]["64"]}}
    ours["mobilebert"]["64"]["end_logits"]["values"][3] += 0.5
    (tmp_path / "ours.json").write_text(json.dumps(ours))
    ran = run("--cpu", "--seconds", 600, "--out", tmp_path / "rows.jsonl", "--ours", tmp_path / "ours.json")
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "rows.jsonl").read_text() == ran.stdout
    first, row = map(json.loads, ran.stdout.splitlines())
    assert first["device"] == "cpu"
    assert (row["way"], row["precision"], row["sequence"]) == ("eager", "f32", 64)
    assert row["off_float64"] < stored["allowed"] / 10
    assert abs(row["off_ours"] - 0.5 / ours["mobilebert"]["64"]["end_logits"]["rms"]) < 1e-3


def test_missing_cuda_is_reported():
    ran = run()
    assert (ran.returncode, ran.stdout, ran.stderr) == (3, "", "PyTorch finds no CUDA device\n")


def test_invalid_logits_file_is_reported_on_one_line(tmp_path):
    (tmp_path / "ours.json").write_text("[")
    ran = run("--cpu", "--ours", tmp_path / "ours.json")
    assert ran.returncode == 1
    assert ran.stderr.startswith(f"error: {tmp_path}/ours.json: ")
    assert ran.stderr.count("\n") == 1
