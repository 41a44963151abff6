"""Learning rate schedules."""

from training.config import Optim


def factor(optim: Optim, step: int, steps: int) -> float:
    """Fraction of the peak rate at `step`: warm-up, then linear decay to zero; `trapezoid` has a plateau between."""
    warm = max(1, round(steps * optim.warmup))
    if step < warm:
        return (step + 1) / warm
    if optim.schedule == "linear":
        return (steps - step) / max(1, steps - warm)
    falling = max(1, round(steps * optim.decay))
    return min(1.0, (steps - step) / falling)
