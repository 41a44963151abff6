"""`python -m training STEP --config FILE`."""

import argparse
import importlib
import sys
from pathlib import Path

from training import config as configuration
from training.errors import TrainingError
from training.places import Places

STEPS = {
    "corpus": "turn plain text into pieces on disk",
    "pretrain": "masked words and next sentences, for a student or an IB-BERT",
    "teacher": "fine-tune a teacher on a task",
    "transfer": "teach a student the teacher's layers",
    "finetune": "fine-tune a student, with a teacher's soft labels where one is named",
    "calibrate": 'fix the threshold of "no answer" on training questions',
    "evaluate": "official metric on the dev set",
    "export": "leave a Hugging Face directory in 16 bits",
    "ship": "make the directory that ships: 8 bits, scored by the engine, with a model card",
    "queue": "all steps of a list, going on where they stopped",
    "compare": "variants of one configuration, several seeds each",
}


def main(arguments: list[str] | None = None) -> int:
    """Run one step; 0 done, 1 failed with one line, 2 usage."""
    defaults = Places()
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Train MobileBERT checkpoints; run from the repository's root.",
        epilog="steps:\n" + "\n".join(f"  {name:<10} {what}" for name, what in STEPS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("step", choices=STEPS, metavar="STEP", help="one of those below")
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
