"""Model cards from the records of the runs: architecture, recipe, hours, scores."""

import json
from pathlib import Path

from training.config import Config
from training.folders import Folders

DATA = {
    "sst2": "SST-2 in GLUE's format (Socher et al. 2013; for research use), training set only.",
    "text": "Books, mostly from the 19th century (Project Gutenberg; public domain in the USA).",
    "squad": "SQuAD v1.1 (CC BY-SA 4.0), training set only, without answers whose position is ambiguous.",
}
LICENSE = (
    "The weights are under the MIT license, like the rest of the project. The teacher and the data listed above keep "
    "their own licenses."
)
# How to try a shipped model from the repository's root.
USE = {
    "sst2": 'classify --model models/{name} "a charming and often affecting journey"',
    "text": 'fill-mask --model models/{name} "The [MASK] was full of people."',
    "squad": 'answer --model models/{name} --question "Who sat on the mat?" --context passage.txt',
}
FIELDS = (
    "num_hidden_layers",
    "hidden_size",
    "intra_bottleneck_size",
    "embedding_size",
    "num_attention_heads",
    "num_feedforward_networks",
    "intermediate_size",
    "normalization_type",
    "hidden_act",
    "trigram_input",
)


def write(config: Config, folders: Folders, source: Path, scored: list[str] | None = None) -> str:
    """The card in Markdown; `scored` replaces the scores written by the step "evaluate"."""
    settings = json.loads((source / "config.json").read_text(encoding="utf-8"))
    lines = [f"# {config.name}", ""]
    if config.task in USE:
        lines += ["## Use", "", "    mobilebert " + USE[config.task].format(name=config.name), ""]
    lines += ["## Architecture", ""]
    lines += [f"- `{name}`: {json.dumps(settings[name])}" for name in FIELDS if name in settings]
    lines += ["", "## Recipe", "", "| run | task | steps | tokens | hours |", "|---|---|---|---|---|"]
    lines += [_row(name, folders) for name in (*config.card.runs, config.name)]
    lines += ["", f"Hardware: {config.card.hardware or 'not stated'}.", "", "## Data and licenses", ""]
    lines += [f"- {DATA[config.task]}"] if config.task in DATA else []
    lines += [f"- {line}" for line in config.card.sources]
    lines += ["", "## License", "", LICENSE]
    lines += ["", *(_scores(config, folders) if scored is None else scored)]
    lines += ["## Known failures", "", *[f"- {line}" for line in config.card.failures], ""]
    return "\n".join(lines)


def _scores(config: Config, folders: Folders) -> list[str]:
    path = folders.run(config.name) / "scores.json"
    if not path.exists():
        return ["## Scores", "", "Not measured.", ""]
    return ["## Scores", "", "```json", path.read_text(encoding="utf-8").strip(), "```", ""]


def _row(name: str, folders: Folders) -> str:
    path = folders.run(name) / "done.json"
    if not path.exists():
        return f"| {name} | | | | not recorded |"
    done = json.loads(path.read_text(encoding="utf-8"))
    return f"| {name} | {done['task']} | {done['steps']} | {done['tokens']} | {done['hours']} |"
