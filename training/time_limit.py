"""`--seconds N`: save and stop a run before N seconds have passed.

Before each step, the loop checks whether the step and the save after it still fit, judging by the longest so far. Work
of unknown duration (the first step, reading the data) is interrupted by a timer.
"""

import signal
import time

from training.errors import TrainingError

# The steps that a limit can stop.
TRAINING = ("pretrain", "teacher", "transfer", "finetune")


class OutOfTime(TrainingError):
    """The time ran out before the work was done; `lost`: whether steps were lost."""

    def __init__(self, line: str, lost: bool):
        super().__init__(line)
        self.lost = lost


class TimeLimit:
    """The time that a process may take, in seconds since `start_time` (by `time.monotonic`); None: unlimited."""

    def __init__(self, seconds: float | None = None, start_time: float | None = None):
        self.seconds = seconds
        self.start_time = time.monotonic() if start_time is None else start_time
        # Numbers of steps done and saved in this process; durations of the longest step and of the longest save.
        self.done, self.saved, self.longest, self.saving = 0, 0, 0.0, 0.0

    def start(self) -> None:
        """Set the timer, leaving the process some time to exit."""
        if self.seconds is None or not hasattr(signal, "setitimer"):
            return
        left = self.left() - min(1.0, 0.02 * self.seconds)
        if left <= 0:
            self.raise_out_of_time()
        signal.signal(signal.SIGALRM, lambda *_: self.raise_out_of_time())
        signal.setitimer(signal.ITIMER_REAL, left)

    def end(self) -> None:
        """Cancel the timer."""
        if self.seconds is not None and hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)

    def left(self) -> float:
        """Return the number of seconds left."""
        return float("inf") if self.seconds is None else self.seconds - (time.monotonic() - self.start_time)

    def allows(self) -> bool:
        """Return whether another step and a save still fit."""
        return self.left() > 1.25 * self.longest + 1.5 * self.saving + 1.0

    def step(self, seconds: float) -> None:
        """Record that a step took `seconds`."""
        self.done += 1
        # The first step is ignored once there is a second one, since it includes warming up the device.
        self.longest = seconds if self.done <= 2 else max(self.longest, seconds)

    def save(self, seconds: float) -> None:
        """Record that saving all steps so far took `seconds`."""
        self.saved = self.done
        self.saving = max(self.saving, seconds)

    def raise_out_of_time(self) -> None:
        """Raise `OutOfTime`."""
        if self.done == 0:
            raise OutOfTime(
                f"{self.seconds:g} seconds are too short for one step; increase --seconds. Nothing was written",
                lost=True,
            )
        lost = self.done - self.saved
        kept = f"{lost} steps after the last checkpoint are lost" if lost else "all steps are saved"
        raise OutOfTime(f"time limit of {self.seconds:g} seconds reached; {kept}", lost=lost > 0)
