"""PNG plots of runs and comparisons."""

import importlib.util
from pathlib import Path


def available() -> bool:
    """Return whether matplotlib is installed; a machine that only trains may not have it."""
    try:
        return importlib.util.find_spec("matplotlib") is not None
    except ModuleNotFoundError:
        return False


def curves(rows: list[dict], path: Path) -> None:
    """Plot every logged value over the steps, one panel each."""
    pyplot = _pyplot()
    names = [n for n in dict.fromkeys(n for r in rows for n in r) if n not in ("step", "seconds", "tokens", "stage")]
    names = [n for n in names if any(isinstance(r.get(n), int | float) for r in rows)]
    if not names:
        return
    columns = min(3, len(names))
    lines = -(-len(names) // columns)
    figure, axes = pyplot.subplots(lines, columns, figsize=(5 * columns, 3 * lines), squeeze=False)
    for axis, name in zip(axes.flat, names, strict=False):
        points = [(r["step"], r[name]) for r in rows if isinstance(r.get(name), int | float) and "step" in r]
        axis.plot(*zip(*points, strict=True), linewidth=1)
        axis.set_title(name)
        axis.set_xlabel("step")
    for axis in list(axes.flat)[len(names) :]:
        axis.set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    pyplot.close(figure)


def seeds(rows: list[dict], metric: str, path: Path) -> None:
    """Plot the rows of a comparison: a dot per seed, a bar at the mean."""
    pyplot = _pyplot()
    figure, axis = pyplot.subplots(figsize=(6, 0.6 + 0.4 * len(rows)))
    for place, row in enumerate(reversed(rows)):
        axis.plot(row["scores"], [place] * len(row["scores"]), "o", color="tab:blue", alpha=0.6)
        axis.plot([row["mean"]] * 2, [place - 0.3, place + 0.3], color="black")
    axis.set_yticks(range(len(rows)), [row["variant"] for row in reversed(rows)])
    axis.set_xlabel(metric)
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    pyplot.close(figure)


def _pyplot():
    # Imported lazily, since importing it takes a second.
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot
