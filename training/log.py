"""Logging of a run: a JSONL file, a PNG of the curves, and a progress bar."""

import json
import sys
import time
from pathlib import Path

from training import atomic, plots


class Log:
    """Writes one JSON object per line; lines after the step that a run resumes from are removed."""

    def __init__(self, path: Path, resume_step: int):
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        earlier = rows(path) if path.exists() and resume_step > 0 else []
        text = "".join(json.dumps(row) + "\n" for row in earlier if row.get("step", 0) <= resume_step)
        atomic.write_whole(path, lambda p: p.write_text(text, encoding="utf-8"))

    def write(self, **values) -> None:
        """Append one line."""
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps({k: round(v, 6) if isinstance(v, float) else v for k, v in values.items()}) + "\n")

    def draw(self) -> None:
        """Write the curves next to the log, if matplotlib is available."""
        if plots.available() and (logged := rows(self.path)):
            plots.curves(logged, self.path.with_name("curves.png"))


def rows(path: Path) -> list[dict]:
    """The rows of a log; a truncated last line is ignored."""
    parsed = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            parsed.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return parsed


class Bar:
    """A progress bar, shown only if stderr is a terminal."""

    def __init__(self, total: int, start: int, label: str):
        self.total, self.first_step, self.label = total, start, label
        self.start_time = time.monotonic()
        self.last_shown = 0.0
        self.active = sys.stderr.isatty()

    def show(self, done: int, text: str = "") -> None:
        """Redraw, at most five times a second."""
        now = time.monotonic()
        if not self.active or (now - self.last_shown < 0.2 and done < self.total):
            return
        self.last_shown = now
        filled = 30 * done // max(1, self.total)
        seconds_per_step = (now - self.start_time) / max(1, done - self.first_step)
        left = int(seconds_per_step * (self.total - done))
        clock = f"{left // 3600}:{left // 60 % 60:02}:{left % 60:02}"
        sys.stderr.write(
            f"\r{self.label} [{'#' * filled}{'.' * (30 - filled)}] {done}/{self.total} {clock} left {text}\033[K"
        )
        sys.stderr.flush()

    def end(self) -> None:
        """End the line."""
        if self.active:
            sys.stderr.write("\n")
