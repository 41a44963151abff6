"""`--seconds N`: a run that stops by itself, saved, before N seconds are over.

The loop asks before each step whether the step and the saving after it still fit, by the longest of those before. What
cannot be known beforehand (the first step, reading the data) is cut off by a timer.
"""

import signal
import time

from training.errors import TrainingError


class OutOfTime(TrainingError):
    """The limit came before the work was done; `lost` says whether steps were lost."""

    def __init__(self, line: str, lost: bool):
        super().__init__(line)
        self.lost = lost


class Limit:
    """The time that a process may take, counted from `began`."""

    def __init__(self, seconds: float | None = None, began: float | None = None):
        self.seconds = seconds
        self.began = time.monotonic() if began is None else began
        self.done, self.saved, self.longest, self.saving = 0, 0, 0.0, 0.0

    def start(self) -> None:
        """Set the timer. What is left after it is for the process to end in."""
        if self.seconds is None or not hasattr(signal, "setitimer"):
            return
        left = self.left() - min(1.0, 0.02 * self.seconds)
        if left <= 0:
            self.out()
        signal.signal(signal.SIGALRM, lambda *_: self.out())
        signal.setitimer(signal.ITIMER_REAL, left)

    def end(self) -> None:
        """Take the timer back."""
        if self.seconds is not None and hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)

    def left(self) -> float:
        """Seconds that are left."""
        return float("inf") if self.seconds is None else self.seconds - (time.monotonic() - self.began)

    def allows(self) -> bool:
        """Return whether another step fits, and saving after it."""
        return self.left() > 1.25 * self.longest + 1.5 * self.saving + 1.0

    def step(self, seconds: float) -> None:
        """A step was done."""
        self.done += 1
        # The first one is left out as soon as there is another: it also warms the device up.
        self.longest = seconds if self.done <= 2 else max(self.longest, seconds)

    def save(self, seconds: float) -> None:
        """All steps were saved."""
        self.saved = self.done
        self.saving = max(self.saving, seconds)

    def out(self) -> None:
        """End the work here."""
        if self.done == 0:
            raise OutOfTime(
                f"{self.seconds:g} seconds are too short for one step; give more by --seconds. Nothing was written",
                lost=True,
            )
        lost = self.done - self.saved
        kept = f"{lost} steps after the last checkpoint are lost" if lost else "all its steps are saved"
        raise OutOfTime(f"{self.seconds:g} seconds are over; {kept}", lost=lost > 0)
