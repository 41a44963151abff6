"""Amounts, times and dates as people write them."""

from training.data.everyday.page import pick
from training.data.everyday.words import MONTHS, WEEKDAYS


def clock(random, first: int = 7, last: int = 21) -> str:
    """A time of day."""
    hour, minute = int(random.integers(first, last)), pick((0, 0, 15, 30, 40, 45), random)
    if random.random() < 0.5:
        return f"{hour}:{minute:02}"
    half = "am" if hour < 12 else "pm"
    shown = (hour - 1) % 12 + 1
    space = pick((" ", ""), random)
    return f"{shown}:{minute:02}{space}{half}" if minute else f"{shown}{space}{half}"


def money(random, least: int = 2, most: int = 40) -> str:
    """A price."""
    amount = int(random.integers(least, most))
    sign = pick(("$", "€", "£"), random)
    if most <= 100 and random.random() < 0.4:
        return f"{sign}{amount}.{pick((20, 50, 75, 80, 95), random)}"
    return f"{sign}{amount:,}"


def large_money(random) -> str:
    """The price of a building."""
    return f"{pick(('$', '€', '£'), random)}{pick((1.2, 2, 3.5, 4, 6.8, 9, 12, 18, 25, 40), random)} million"


def duration(random) -> str:
    """Minutes, seconds or hours."""
    unit = pick(("minutes", "minutes", "seconds", "hours"), random)
    most = {"minutes": (5, 10, 12, 15, 20, 25, 35, 45), "seconds": (3, 5, 10, 15, 30), "hours": (2, 3, 4, 6, 8)}[unit]
    return f"{pick(most, random)} {unit}"


def weight(random) -> str:
    """An amount of food."""
    unit = pick(("g", "grams", "ml", "cups", "tablespoons", "oz"), random)
    small = unit in ("cups", "tablespoons")
    return f"{pick((2, 3, 4, '1/2') if small else (50, 75, 120, 150, 200, 250, 400, 500), random)} {unit}"


def heat(random) -> str:
    """An oven's temperature."""
    return f"{pick((150, 160, 175, 180, 190, 200, 220), random)}{pick(('°C', ' degrees', '°'), random)}"


def date(random) -> str:
    """A day of the year."""
    day, month = int(random.integers(1, 29)), pick(MONTHS, random)
    form = pick(("{m} {d}", "{d} {m}", "{w}, {m} {d}"), random)
    return form.format(m=month, d=day, w=pick(WEEKDAYS, random))


def phone(random) -> str:
    """A fictitious telephone number."""
    return f"555-{int(random.integers(100, 10000)):04}"
