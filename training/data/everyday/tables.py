"""Tables as text: timetables, price lists, results."""

from training.data.everyday import values, words
from training.data.everyday.page import Page, pick, several

SEPARATORS = (" | ", "\t", ", ", "  ", " - ", "; ")


def _rows(page: Page, header: list[str], rows: list[list[tuple[str, str]]], random) -> None:
    between = pick(SEPARATORS, random)
    if random.random() < 0.7:
        page.add(between.join(header), {})
    labeled = random.random() < 0.25
    for row in rows:
        cells = [f"{{{name}}}" for name, _ in row]
        if labeled:
            cells = [f"{title}: {cell}" for title, cell in zip(header, cells, strict=True)]
        page.add(between.join(cells), dict(row))


def timetable(random) -> Page:
    """A timetable of classes with days, times, rooms and teachers."""
    page = Page()
    classes, days = several(words.CLASSES, 5, random), several(words.WEEKDAYS, 4, random)
    rooms, teachers = several(words.ROOMS, 4, random), several(words.SURNAMES, 4, random)
    rows = []
    for i in range(4):
        title = pick(("Ms. ", "Mr. ", "Dr. ", ""), random)
        time = values.clock(random)
        rows.append(
            [
                (f"class{i}", classes[i]),
                (f"day{i}", days[i]),
                (f"time{i}", time),
                (f"room{i}", rooms[i]),
                (f"who{i}", title + teachers[i]),
            ]
        )
        page.ask(f"day{i}", f"On which day is {classes[i]}?", f"What day is {classes[i]} on?")
        page.ask(
            f"time{i}",
            f"When does {classes[i]} start?",
            f"What time is {classes[i]}?",
            f"At what time is {classes[i]}?",
        )
        page.ask(f"room{i}", f"Where is {classes[i]}?", f"In which room is {classes[i]}?")
        page.ask(f"who{i}", f"Who teaches {classes[i]}?", f"Who gives the {classes[i]} class?")
        page.ask(
            f"class{i}", f"Which class is on {days[i]}?", f"What does {teachers[i]} teach?", f"What is in {rooms[i]}?"
        )
    _rows(page, ["Class", "Day", "Time", "Room", "Teacher"], rows, random)
    page.ask_unanswerable(
        f"When does {classes[4]} start?", f"Who teaches {classes[4]}?", f"How much does {classes[0]} cost?"
    )
    return page


def prices(random) -> Page:
    """A café's price list for small and large portions."""
    page, goods = Page(), several(words.GOODS, 6, random)
    page.add(pick(("Menu", "Our prices", "Today at the counter", "Price list"), random), {})
    rows = []
    for i in range(5):
        rows.append([(f"item{i}", goods[i]), (f"small{i}", values.money(random)), (f"large{i}", values.money(random))])
        page.ask(f"small{i}", f"How much is a small {goods[i]}?", f"What does a small {goods[i]} cost?")
        page.ask(f"large{i}", f"How much is a large {goods[i]}?", f"What is the price of a large {goods[i]}?")
    _rows(page, ["Item", "Small", "Large"], rows, random)
    page.ask_unanswerable(
        f"How much is a small {goods[5]}?", f"What does a large {goods[5]} cost?", "When does the counter open?"
    )
    return page


def departures(random) -> Page:
    """Departures of trains, buses or ferries."""
    page, towns = Page(), several(words.TOWNS, 6, random)
    kind, stop = pick((("train", "platform"), ("bus", "stop"), ("ferry", "pier")), random)
    rows = []
    for i in range(5):
        rows.append(
            [
                (f"time{i}", values.clock(random, 5, 23)),
                (f"town{i}", towns[i]),
                (f"stop{i}", f"{random.integers(1, 15)}"),
                (f"long{i}", values.duration(random)),
            ]
        )
        page.ask(f"time{i}", f"When does the {kind} to {towns[i]} leave?", f"What time is the {kind} to {towns[i]}?")
        page.ask(
            f"stop{i}",
            f"Which {stop} does the {kind} to {towns[i]} leave from?",
            f"From what {stop} is the {kind} to {towns[i]}?",
        )
        page.ask(f"long{i}", f"How long does the {kind} to {towns[i]} take?")
    times = [row[0][1] for row in rows]
    for i, time in enumerate(times):
        if times.count(time) == 1:
            page.ask(f"town{i}", f"Where does the {kind} at {time} go?")
    _rows(page, ["Time", "To", stop.capitalize(), "Duration"], rows, random)
    page.ask_unanswerable(f"When does the {kind} to {towns[5]} leave?", f"How much is a ticket to {towns[0]}?")
    return page


def results(random) -> Page:
    """The results of a competition."""
    page, people, towns = Page(), several(words.PEOPLE, 5, random), several(words.TOWNS, 4, random)
    ranks, rows = ("first", "second", "third", "fourth"), []
    scores = several(range(20, 99), 4, random)
    for i in range(4):
        points = f"{scores[i]}"
        rows.append([(f"rank{i}", f"{i + 1}"), (f"who{i}", people[i]), (f"town{i}", towns[i]), (f"points{i}", points)])
        page.ask(f"who{i}", f"Who came {ranks[i]}?", f"Who is from {towns[i]}?", f"Who has {points} points?")
        page.ask(f"points{i}", f"How many points does {people[i]} have?", f"How many points did {people[i]} score?")
        page.ask(f"town{i}", f"Where is {people[i]} from?", f"Which town is {people[i]} from?")
    _rows(page, ["Rank", "Name", "Town", "Points"], rows, random)
    page.ask_unanswerable(
        f"How many points does {people[4]} have?", f"Where is {people[4]} from?", f"How old is {people[0]}?"
    )
    return page


def hours(random) -> Page:
    """The opening hours of a place; pairs of days may share a line."""
    page, place = Page(), pick(words.PLACES, random)
    page.add(pick((f"{place.capitalize()}, opening hours", f"Opening hours of the {place}", place.upper()), random), {})
    days = list(words.WEEKDAYS)
    closed, between = int(random.integers(7)), pick(("{%s} to {%s}", "{%s} - {%s}", "from {%s} until {%s}"), random)
    while days:
        row = [days.pop(0) for _ in range(min(len(days), int(random.integers(1, 3))))]
        number = 7 - len(days)
        if words.WEEKDAYS[closed] in row:
            page.add(f"{{days{number}}}: closed", {f"days{number}": " and ".join(row)})
            page.ask(f"days{number}", f"When is the {place} closed?", "On which day is it closed?")
            page.ask_unanswerable(f"When does the {place} open on {row[0]}?", f"When does it close on {row[-1]}?")
            continue
        times = {
            f"open{number}": values.clock(random, 7, 12),
            f"close{number}": values.clock(random, 13, 22),
        }
        page.add(f"{' and '.join(row)}: {between % tuple(times)}", times)
        for day in row:
            page.ask(f"open{number}", f"When does the {place} open on {day}?", f"From when on is it open on {day}?")
            page.ask(f"close{number}", f"When does the {place} close on {day}?", f"Until when is it open on {day}?")
    page.ask_unanswerable(f"What does a ticket for the {place} cost?", f"On which street is the {place}?")
    return page
