"""One screen of what a run of the kit did: `summary.py KIT WORK OUT TOOK GIVEN`."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

PEERS = 12  # rows of PyTorch that fit the screen


def card() -> str:
    """Name and driver of the GPU."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return "no nvidia-smi here"
    query = [program, "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    ran = subprocess.run(query, capture_output=True, text=True, check=False)
    return ran.stdout.strip() or ran.stderr.strip() or "nvidia-smi says nothing"


def rows(path: Path) -> list[dict]:
    """The lines of a file of JSON objects; a last one that was cut off doesn't count."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return found


def peers(measured: Path) -> list[str]:
    """PyTorch at the two lengths that are compared most."""
    chosen = [r for r in rows(measured / "torch.jsonl") if r.get("sequence") in (128, 384) and r.get("batch") == 1]
    return [
        f"  PyTorch {r['way']:<13}{r['precision']:<5}{r['sequence']:>4} tokens: "
        + (r["error"] if "error" in r else f"{r['wall_ms']:.2f} ms, off by {r['off_float64']:.1e}")
        for r in chosen[:PEERS]
    ]


def profile(measured: Path) -> list[str]:
    """The beginning of the engine's table."""
    path = measured / "profile.txt"
    return [f"  {line}" for line in path.read_text(encoding="utf-8").splitlines()[:18]] if path.is_file() else []


def training(measured: Path) -> list[str]:
    """The last line of each run's log."""
    found = []
    for path in sorted(measured.glob("gpu-*.jsonl")):
        for row in rows(path)[-1:]:
            figures = ", ".join(f"{k} {v}" for k, v in row.items() if k not in ("stage", "hard", "soft"))
            found.append(f"  {path.stem}: {figures}")
    return found


def main() -> None:
    """Print it."""
    kit, work, out = map(Path, sys.argv[1:4])
    measured = work / "measured"
    version = (kit / "version").read_text(encoding="utf-8").strip() if (kit / "version").is_file() else "unknown"
    print(f"card: {card()}\nkit: {version}\ntook {sys.argv[4]} s of {sys.argv[5]}")
    print(*[f"  {line}" for line in (measured / "log.txt").read_text(encoding="utf-8").splitlines()], sep="\n")
    for title, lines in (("profile", profile(measured)), ("peers", peers(measured)), ("training", training(measured))):
        print(f"{title}:", *(lines or ["  nothing"]), sep="\n")
    files = sorted(path for path in out.rglob("*") if path.is_file() and path.name != "summary.txt")
    print(f"files in {out}:")
    for path in files:
        print(f"  {path.relative_to(out)} {path.stat().st_size}")


if __name__ == "__main__":
    main()
