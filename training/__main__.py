"""`python -m training STEP --config FILE`, `python -m training resume CHECKPOINT`."""

import argparse
import importlib
import sys
import time
from pathlib import Path

from training import config as configuration
from training.errors import TrainingError
from training.folders import Folders
from training.time_limit import TRAINING, OutOfTime, TimeLimit

BEGAN = time.monotonic()

STEPS = {
    "corpus": "tokenize plain text and store it on disk",
    "pretrain": "pre-train a student or an IB-BERT on masked words and next sentences",
    "teacher": "fine-tune a teacher on a task",
    "transfer": "transfer the teacher's layers to a student",
    "finetune": "fine-tune a student, optionally with a teacher's soft labels",
    "calibrate": "fit the temperature and thresholds on held-out training rows",
    "evaluate": "compute the official metric on the dev set",
    "export": "write a Hugging Face directory in f16",
    "ship": "make the directory to ship: quantized, scored with the engine, with a model card",
    "queue": "run a list of steps, resuming where it stopped",
    "compare": "train variants of one configuration with several seeds each",
    "pack": "tokenize a task's training examples for a machine that only trains",
    "resume": "resume the run in a checkpoint folder",
    "unpack": "extract the finished runs from a shared checkpoint folder",
}


def main(arguments: list[str] | None = None) -> int:
    """Run one step; returns the exit status: 0 success, 1 failure (reported in one line), 2 usage error."""
    defaults = Folders()
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Train MobileBERT checkpoints; run from the repository's root.",
        epilog="steps:\n" + "\n".join(f"  {name:<10} {what}" for name, what in STEPS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("step", choices=STEPS, metavar="STEP", help="one of the steps below")
    parser.add_argument("checkpoint", nargs="?", type=Path, help="checkpoint folder, for resume and unpack")
    parser.add_argument("--config", type=Path, help="TOML file (see training/configs), for all other steps")
    parser.add_argument("--data", type=Path, default=defaults.data, help="folder with the datasets")
    parser.add_argument("--models", type=Path, default=defaults.models, help="folder with pre-trained checkpoints")
    parser.add_argument("--out", type=Path, default=defaults.out, help="folder for the runs")
    parser.add_argument("--shipped", type=Path, default=defaults.shipped, help="folder with the shipped models")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0: OMP_NUM_THREADS or all cores")
    parser.add_argument("--checkpoints", type=Path, help="shared folder for the checkpoints of all runs; see README.md")
    parser.add_argument("--seconds", type=float, help="save and stop before this many seconds have passed")
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="override a configuration value"
    )
    given = parser.parse_args(arguments)
    wanted, other = ("checkpoint", "config") if given.step in ("resume", "unpack") else ("config", "checkpoint")
    if getattr(given, wanted) is None or getattr(given, other) is not None:
        parser.error(f"{given.step} takes " + ("a checkpoint folder" if wanted == "checkpoint" else "--config FILE"))
    if given.seconds is not None and given.step not in (*TRAINING, "queue", "resume"):
        parser.error(f"--seconds: {given.step} does no training")
    folders = Folders(given.data, given.models, given.out, given.shipped, given.checkpoints)
    # Counted from the start of the process when run as a program, otherwise from this call.
    limit = TimeLimit(given.seconds, BEGAN if arguments is None else None)
    try:
        limit.start()
        from training import loop, parallel

        loop.threads(given.threads)
        parallel.start()
        _run(given, folders, limit)
    except OutOfTime as over:
        print(f"error: {over}" if over.lost else over, file=sys.stderr)
        return int(over.lost)
    except TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted; run the same command again to resume from the last checkpoint", file=sys.stderr)
        return 1
    finally:
        limit.end()
    return 0


def _run(given: argparse.Namespace, folders: Folders, limit: TimeLimit) -> None:
    step = importlib.import_module(f"training.steps.{given.step}")
    if given.step == "resume":
        step.run_checkpoint(given.checkpoint, folders, limit)
    elif given.step == "unpack":
        step.run_checkpoint(given.checkpoint, folders)
    elif given.step == "queue":
        step.run_queue(given.config, folders, limit, given.set)
    elif given.step == "compare":
        step.run_comparison(given.config, folders)
    elif given.step in TRAINING:
        step.run(configuration.read(given.config, given.set), folders, limit)
    else:
        step.run(configuration.read(given.config, given.set), folders)


if __name__ == "__main__":
    sys.exit(main())
