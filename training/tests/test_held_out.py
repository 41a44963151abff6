"""Held-out training rows."""

from training.config import Config, Loop
from training.data.squad import Window
from training.tasks import held_out
from training.tasks.squad import split_windows

ROWS = [f"row {i}" for i in range(500)]


def kept(seed: int, held: int = 40, every: int = 10) -> tuple[list[str], list[str]]:
    return held_out.split(ROWS, Config(seed=seed, loop=Loop(evaluate_every=every, held_out=held)))


def test_held_out_rows_do_not_depend_on_the_seed():
    (held, _), (_, learned) = kept(seed=2), kept(seed=1)
    assert len(held) == 40
    assert not set(held) & set(learned)


def test_larger_split_includes_the_smaller_one():
    assert set(kept(seed=1, held=20)[0]) < set(kept(seed=1)[0])


def test_no_row_is_lost_or_repeated_and_the_seed_orders_the_rest():
    (held, first), (_, second) = kept(seed=1), kept(seed=2)
    assert sorted(held + first) == sorted(ROWS)
    assert first != second and sorted(first) == sorted(second)


def test_windows_of_a_held_out_question_are_not_trained_on():
    windows = [Window(i // 2, 128 * (i % 2), 200, 150, 152) for i in range(200)]
    held, rest = split_windows(windows, Config(loop=Loop(evaluate_every=10, held_out=20)))
    assert len(held) == 20
    assert not {w.question for w in held} & {w.question for w in rest}
    assert len(rest) >= 200 - 2 * len(held)


def test_at_most_a_tenth_is_held_out_and_nothing_without_evaluation():
    assert len(kept(seed=1, held=1000)[0]) == 50
    held, rest = kept(seed=1, every=0)
    assert held == [] and sorted(rest) == sorted(ROWS)
