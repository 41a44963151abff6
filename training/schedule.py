"""Learning rate over a stage."""

from training.config import Optim


def factor(optim: Optim, step: int, steps: int) -> float:
    """Share of the full rate at `step` of `steps`: a rise, then a fall to zero, with a level stretch in `trapezoid`."""
    warm = max(1, round(steps * optim.warmup))
    if step < warm:
        return (step + 1) / warm
    if optim.schedule == "linear":
        return (steps - step) / max(1, steps - warm)
    falling = max(1, round(steps * optim.decay))
    return min(1.0, (steps - step) / falling)
