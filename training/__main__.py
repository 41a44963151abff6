"""`python -m training STEP --config FILE`."""

import argparse
import importlib
import sys
from pathlib import Path

from training import config as configuration
from training.errors import TrainingError
from training.places import Places

STEPS = (
    "corpus",
    "pretrain",
    "teacher",
    "transfer",
    "finetune",
    "calibrate",
    "evaluate",
    "export",
    "ship",
    "queue",
    "compare",
)


def main(arguments: list[str] | None = None) -> int:
    """Run one step; 0 done, 1 failed with one line, 2 usage."""
    defaults = Places()
    parser = argparse.ArgumentParser(prog="python -m training", description="Train MobileBERT checkpoints.")
    parser.add_argument("step", choices=STEPS)
    parser.add_argument("--config", type=Path, required=True, help="TOML file, see training/configs")
    parser.add_argument("--data", type=Path, default=defaults.data, help="folder of the data sets")
    parser.add_argument("--models", type=Path, default=defaults.models, help="folder of given checkpoints")
    parser.add_argument("--out", type=Path, default=defaults.out, help="folder of the runs")
    parser.add_argument("--shipped", type=Path, default=defaults.shipped, help="folder of the models that ship")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0: OMP_NUM_THREADS or all cores")
    given = parser.parse_args(arguments)
    places = Places(given.data, given.models, given.out, given.shipped)
    try:
        from training import loop, parallel

        loop.threads(given.threads)
        parallel.start()
        step = importlib.import_module(f"training.steps.{given.step}")
        if given.step == "queue":
            step.run_queue(given.config, places)
        elif given.step == "compare":
            step.run_comparison(given.config, places)
        else:
            step.run(configuration.read(given.config), places)
    except TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted; run the same command again to go on from the last checkpoint", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
