"""Chats with questions about who said what."""

from training.data.everyday import values, words
from training.data.everyday.page import Page, pick, several

PROMISES = (
    "I'll bring {thing%d}.",
    "I can bring {thing%d}",
    "ok, {thing%d} is on me",
    "I will get {thing%d} on the way",
)
# Whoever replies to one of these brings the thing.
REQUESTS = (
    "Can you bring {thing%d}?",
    "Could you get {thing%d}?",
    "We still need {thing%d}. Could you?",
    "Would you bring {thing%d}, please?",
)


def chat(random) -> Page:
    """A chat in which people plan to meet."""
    page, people = Page(), several(words.PEOPLE, 6, random)
    things, town = several(words.BROUGHT, 4, random), pick(words.TOWNS, random)
    style = pick(("{%s}: ", "{%s} - ", "[{%s}] ", "{%s} wrote: ", "<{%s}> "), random)
    stamped = random.random() < 0.3
    turn = 0

    def says(speaker: int, template: str, filled: dict[str, str]) -> None:
        nonlocal turn
        name = f"who{turn}"
        stamp = f"{9 + turn // 4}:{10 + 7 * (turn % 4)} " if stamped else ""
        page.add(stamp + style % name + template, {name: people[speaker], **filled})
        turn += 1

    place = pick(("the station", "the park gate", "my place", "the cafe", "the school", "the bus stop"), random)
    says(
        0,
        pick(
            ("Shall we meet on {day} at {time}?", "How about {day}, {time}?", "Everybody free on {day} at {time}?"),
            random,
        ),
        {"day": pick(words.WEEKDAYS, random), "time": values.clock(random)},
    )
    page.ask("day", "Which day do they meet?", f"Which day does {people[0]} suggest?")
    page.ask("time", "When do they meet?", "What time are they meeting?", f"What time does {people[0]} propose?")
    says(
        1,
        pick(("Fine. Let's meet at {place}.", "Works for me! I'd say at {place}.", "Yes, at {place}?"), random),
        {"place": place},
    )
    page.ask("place", "Where do they meet?", f"Where does {people[1]} want to meet?")
    page.ask("who1", f"Who suggests {place}?", f"Who wants to meet at {place}?")
    for number, speaker in enumerate(several((1, 2, 3, 4), 3, random)):
        said, filled = pick(PROMISES, random) % number, {f"thing{number}": things[number]}
        if random.random() < 0.4:
            says(0, pick(REQUESTS, random) % number, filled)
            said, filled = pick(("Sure.", "OK, will do", "Yes, no problem!", "I can do that"), random), {}
        asker = turn
        says(speaker, said, filled)
        page.ask(
            f"who{asker}",
            f"Who brings {things[number]}?",
            f"Who is bringing {things[number]}?",
            f"Who gets {things[number]}?",
        )
        page.ask(f"thing{number}", f"What does {people[speaker]} bring?", f"What will {people[speaker]} bring?")
    late = turn
    says(
        pick((2, 3), random),
        pick(("I'll be {late} late, sorry", "Running late, give me {late}!", "I need {late} more"), random),
        {"late": values.duration(random)},
    )
    page.ask(f"who{late}", "Who will be late?", "Who is running late?")
    page.ask("late", "How late will they be?", "How much later will they come?")
    says(
        4,
        pick(("I'm coming by {by} from {town}.", "Taking the {by} from {town}"), random),
        {"by": pick(("bus", "train", "bike", "car", "tram"), random), "town": town},
    )
    page.ask("by", f"How does {people[4]} get there?", f"How is {people[4]} traveling?")
    page.ask("town", f"Where does {people[4]} come from?")
    page.ask(f"who{turn - 1}", f"Who comes from {town}?")
    page.ask_unanswerable(
        f"Who brings {things[3]}?", f"What does {people[5]} bring?", "How much does it cost?", "What is the address?"
    )
    return page
