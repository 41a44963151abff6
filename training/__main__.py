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

START_TIME = time.monotonic()

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
    parser = _parser()
    options = parser.parse_args(arguments)
    if problem := _usage_error(options):
        parser.error(problem)
    folders = Folders(options.data, options.models, options.out, options.shipped, options.checkpoints)
    # Counted from the start of the process when run as a program, otherwise from this call.
    limit = TimeLimit(options.seconds, START_TIME if arguments is None else None)
    return _report_errors(options, folders, limit)


def _parser() -> argparse.ArgumentParser:
    defaults = Folders()
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Train MobileBERT checkpoints; run from the repository's root.",
        epilog="steps:\n" + "\n".join(f"  {name:<10} {summary}" for name, summary in STEPS.items()),
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
    return parser


def _usage_error(options: argparse.Namespace) -> str | None:
    from_checkpoint = options.step in ("resume", "unpack")
    if from_checkpoint and (options.checkpoint is None or options.config is not None):
        return f"{options.step} takes a checkpoint folder"
    if not from_checkpoint and (options.config is None or options.checkpoint is not None):
        return f"{options.step} takes --config FILE"
    if from_checkpoint and options.set:
        return f"--set: {options.step} uses the configuration in the checkpoint"
    if options.seconds is not None and options.step not in (*TRAINING, "queue", "resume"):
        return f"--seconds: {options.step} does no training"
    return None


def _report_errors(options: argparse.Namespace, folders: Folders, limit: TimeLimit) -> int:
    try:
        limit.start()
        from training import loop, parallel

        loop.set_threads(options.threads)
        parallel.start()
        _run(options, folders, limit)
    except OutOfTime as stop:
        print(f"error: {stop}" if stop.lost else stop, file=sys.stderr)
        return int(stop.lost)
    except TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error.filename}: {error.strerror}" if error.filename else f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted; run the same command again to resume from the last checkpoint", file=sys.stderr)
        return 1
    finally:
        limit.end()
    return 0


def _run(options: argparse.Namespace, folders: Folders, limit: TimeLimit) -> None:
    step = importlib.import_module(f"training.steps.{options.step}")
    if options.step == "resume":
        step.run_checkpoint(options.checkpoint, folders, limit)
    elif options.step == "unpack":
        step.run_checkpoint(options.checkpoint, folders)
    elif options.step == "queue":
        step.run_queue(options.config, folders, limit, options.set)
    elif options.step == "compare":
        step.run_comparison(options.config, folders, options.set)
    elif options.step in TRAINING:
        step.run(configuration.read(options.config, options.set), folders, limit)
    else:
        step.run(configuration.read(options.config, options.set), folders)


if __name__ == "__main__":
    sys.exit(main())
