"""Amounts, times and dates as people write them."""

from training.data.everyday import words
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


def mass(random) -> str:
    """The weight of a thing."""
    unit = pick(("g", "grams", "kg", "kilos", "pounds", "oz"), random)
    small = unit in ("kg", "kilos", "pounds")
    return f"{pick((2, 3, 4, 1.5) if small else (50, 75, 120, 150, 200, 250, 400, 500), random)} {unit}"


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


def count(random) -> str:
    """A small number, in digits or as a word."""
    number = int(random.integers(2, 13))
    return words.NUMBERS[number] if random.random() < 0.5 else str(number)


def thousands(random) -> str:
    """A large number."""
    number = int(random.integers(1, 95)) * pick((100, 250, 1000, 12500), random)
    return f"{number:,}" if random.random() < 0.7 else str(number)


def amount(random) -> str:
    """A price with the name or symbol of its currency."""
    number = pick((5, 8, 12, 15, 18, 25, 30, 45, 60, 75, 90, 120, 150, 240, 350, 480, 620, 900, 1250, 2400), random)
    currency = pick(("euros", "dollars", "pounds", "francs"), random)
    return f"{number:,} {currency}" if random.random() < 0.6 else money(random, 3, 900)


def span(random) -> str:
    """Days, weeks, months or years."""
    unit = pick(("days", "weeks", "months", "years"), random)
    number = int(random.integers(2, 13))
    return f"{words.NUMBERS[number] if random.random() < 0.5 else number} {unit}"


def length(random) -> str:
    """A distance or a size."""
    unit = pick(("km", "kilometers", "miles", "meters", "m", "cm", "feet"), random)
    return f"{pick((2, 3, 5, 8, 12, 20, 35, 40, 60, 80, 150), random)} {unit}"


def percent(random) -> str:
    """A percentage."""
    return f"{int(random.integers(3, 96))}{pick(('%', ' percent', ' %'), random)}"


def year(random) -> str:
    """A year."""
    return str(int(random.integers(1850, 2031)))


def full_name(random) -> str:
    """First and last name."""
    return f"{pick(words.PEOPLE, random)} {pick(words.SURNAMES, random)}"


def titled(random) -> str:
    """A name with a title."""
    first = f"{pick(words.PEOPLE, random)} " if random.random() < 0.4 else ""
    return f"{pick(('Ms.', 'Mr.', 'Mrs.', 'Dr.', 'Professor'), random)} {first}{pick(words.SURNAMES, random)}"


def someone(random) -> str:
    """A full name or a relation."""
    return full_name(random) if random.random() < 0.3 else pick(words.RELATIONS, random)


def address(random) -> str:
    """A street address."""
    return f"{int(random.integers(2, 140))} {pick(words.STREETS, random)}"


def email(random) -> str:
    """A fictitious email address."""
    return f"{pick(('info', 'office', 'hello', 'booking'), random)}@{pick(words.TOWNS, random).lower()}.example"


def degrees(random) -> str:
    """An outdoor temperature."""
    return f"{int(random.integers(2, 36))}{pick((' degrees', '°C', '°'), random)}"


def age(random) -> str:
    """An age in years."""
    return str(int(random.integers(3, 90)))


def pet_age(random) -> str:
    """The age of a pet in years."""
    return str(int(random.integers(2, 15)))


def code(random) -> str:
    """A code or an identifier."""
    return pick((f"{random.integers(1000, 9999)}", f"{pick('ABCDEFGH', random)}{random.integers(10, 999)}"), random)


def later(random) -> str:
    """A time relative to another."""
    return f"{span(random)} {pick(('later', 'later', 'after that'), random)}"


def _of(choices):
    return lambda random: pick(choices, random)


# The types of slots in `genres/`.
TYPES = {
    "age": age,
    "address": address,
    "amount": amount,
    "animal": _of(words.ANIMALS),
    "clock": clock,
    "code": code,
    "color": _of(words.COLORS),
    "company": _of(words.COMPANIES),
    "count": count,
    "date": date,
    "degrees": degrees,
    "device": _of(words.DEVICES),
    "duration": duration,
    "email": email,
    "food": _of(words.FOODS),
    "full_name": full_name,
    "heat": heat,
    "job": _of(words.JOBS),
    "large_money": large_money,
    "later": later,
    "length": length,
    "mass": mass,
    "material": _of(words.MATERIALS),
    "month": _of(words.MONTHS),
    "percent": percent,
    "person": _of(words.PEOPLE),
    "pet_age": pet_age,
    "phone": phone,
    "place": _of(words.PLACES),
    "plant": _of(words.PLANTS),
    "room": _of(words.ROOMS),
    "someone": someone,
    "span": span,
    "surname": _of(words.SURNAMES),
    "team": _of(words.TEAMS),
    "thousands": thousands,
    "titled": titled,
    "town": _of(words.TOWNS),
    "weekday": _of(words.WEEKDAYS),
    "weight": weight,
    "work": _of(words.WORKS),
    "year": year,
}


def value(kind: str, used: set[str], random) -> str:
    """Draw a value of a type, or one of several options ("one|two"), avoiding `used` ones if possible."""
    for _ in range(20):
        drawn = pick(kind.split("|"), random) if "|" in kind else TYPES[kind](random)
        if drawn not in used:
            break
    return drawn


def distinct(kind: str, count: int, random) -> list[str]:
    """Draw several values of a type, different ones if possible."""
    drawn: list[str] = []
    while len(drawn) < count:
        drawn.append(value(kind, set(drawn), random))
    return drawn
