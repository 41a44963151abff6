"""Draws the ratios of `bench/peers/run.mjs --json` and `bench/native/run.py --json`: our median time over each peer's.

    python plot.py OUT.png REPORT.json [REPORT.json …]

Bars shorter than 1 mean that this project is faster. Needs matplotlib (training/requirements.txt).
"""

import argparse
import json
from pathlib import Path

from matplotlib import pyplot


def bars(report: dict) -> list[tuple[str, str, float]]:
    """Group, label and ratio of every bar."""
    if "comparisons" in report:
        return [bar for comparison in report["comparisons"] for bar in in_browser(comparison)]
    return [
        (f"native, {row['threads']} threads", label(row, peer), row["ms"]["mobilebert"] / milliseconds)
        for row in report["rows"]
        for peer, milliseconds in row["ms"].items()
        if peer != "mobilebert"
    ]


def in_browser(comparison: dict) -> list[tuple[str, str, float]]:
    """Our first engine against every peer."""
    found = []
    for row in comparison["rows"]:
        own, *others = row["engines"]
        peers = [engine for engine in others if not engine["label"].startswith("mobilebert")]
        found += [(comparison["name"], label(row, peer["label"]), own["median"] / peer["median"]) for peer in peers]
    return found


def label(row: dict, peer: str) -> str:
    """Return the title of a bar."""
    return f"{peer}: {row['dtype']}, {row['sequence']} tokens"


def draw(all_bars: list[tuple[str, str, float]], out: Path) -> None:
    """One panel per group, one bar per peer, dtype and length."""
    groups = list(dict.fromkeys(group for group, _, _ in all_bars))
    heights = [sum(group == found for found, _, _ in all_bars) for group in groups]
    size = (8, 0.9 * len(groups) + 0.24 * sum(heights))
    figure, panels = pyplot.subplots(
        len(groups), 1, figsize=size, sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights}
    )
    for group, (panel,) in zip(groups, panels, strict=True):
        shown = [(text, ratio) for found, text, ratio in all_bars if found == group][::-1]
        drawn = panel.barh([text for text, _ in shown], [ratio for _, ratio in shown], color="#0b5d4b", height=0.7)
        panel.bar_label(drawn, fmt="%.2f", padding=3, fontsize=8)
        panel.axvline(1, color="#a4480a", linewidth=1)
        panel.set_title(group, loc="left", fontsize=10)
        panel.tick_params(labelsize=8)
        panel.set_xlim(left=0, right=max(1.15, 1.1 * max(ratio for _, _, ratio in all_bars)))
    panels[-1][0].set_xlabel("our time / the peer's time, medians of alternating runs", fontsize=9)
    figure.tight_layout()
    figure.savefig(out, dpi=110)


def main() -> None:
    """Reads the reports and writes the picture."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("out", type=Path)
    arguments.add_argument("reports", type=Path, nargs="+")
    options = arguments.parse_args()
    draw([bar for path in options.reports for bar in bars(json.loads(path.read_text()))], options.out)


if __name__ == "__main__":
    main()
