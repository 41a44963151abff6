"""Chats with questions about who said what."""

from dataclasses import dataclass

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


@dataclass
class _Chat:
    page: Page
    people: list[str]
    style: str  # template of what precedes a message, with `%s` for the mark of the speaker's name
    has_times: bool
    turn: int = 0

    def say(self, speaker: int, template: str, filled: dict[str, str]) -> str:
        """Add a message; returns the mark of the speaker's name."""
        name = f"who{self.turn}"
        time = f"{9 + self.turn // 4}:{10 + 7 * (self.turn % 4)} " if self.has_times else ""
        self.page.add(time + self.style % name + template, {name: self.people[speaker], **filled})
        self.turn += 1
        return name


def chat(random) -> Page:
    """A chat in which people plan to meet."""
    page, people = Page(), several(words.PEOPLE, 6, random)
    things, town = several(words.BROUGHT, 4, random), pick(words.TOWNS, random)
    style = pick(("{%s}: ", "{%s} - ", "[{%s}] ", "{%s} wrote: ", "<{%s}> "), random)
    messages = _Chat(page, people, style, random.random() < 0.3)
    _suggest(messages, random)
    for number, speaker in enumerate(several((1, 2, 3, 4), 3, random)):
        _promise(messages, number, speaker, things[number], random)
    _arrive(messages, town, random)
    page.ask_unanswerable(
        f"Who brings {things[3]}?", f"What does {people[5]} bring?", "How much does it cost?", "What is the address?"
    )
    return page


def _suggest(chat: _Chat, random) -> None:
    page, people = chat.page, chat.people
    place = pick(("the station", "the park gate", "my place", "the cafe", "the school", "the bus stop"), random)
    chat.say(
        0,
        pick(
            ("Shall we meet on {day} at {time}?", "How about {day}, {time}?", "Everybody free on {day} at {time}?"),
            random,
        ),
        {"day": pick(words.WEEKDAYS, random), "time": values.clock(random)},
    )
    page.ask("day", "Which day do they meet?", f"Which day does {people[0]} suggest?")
    page.ask("time", "When do they meet?", "What time are they meeting?", f"What time does {people[0]} propose?")
    name = chat.say(
        1,
        pick(("Fine. Let's meet at {place}.", "Works for me! I'd say at {place}.", "Yes, at {place}?"), random),
        {"place": place},
    )
    page.ask("place", "Where do they meet?", f"Where does {people[1]} want to meet?")
    page.ask(name, f"Who suggests {place}?", f"Who wants to meet at {place}?")


def _promise(chat: _Chat, number: int, speaker: int, thing: str, random) -> None:
    message, filled = pick(PROMISES, random) % number, {f"thing{number}": thing}
    if random.random() < 0.4:
        chat.say(0, pick(REQUESTS, random) % number, filled)
        message, filled = pick(("Sure.", "OK, will do", "Yes, no problem!", "I can do that"), random), {}
    name = chat.say(speaker, message, filled)
    chat.page.ask(name, f"Who brings {thing}?", f"Who is bringing {thing}?", f"Who gets {thing}?")
    person = chat.people[speaker]
    chat.page.ask(f"thing{number}", f"What does {person} bring?", f"What will {person} bring?")


def _arrive(chat: _Chat, town: str, random) -> None:
    page, people = chat.page, chat.people
    name = chat.say(
        pick((2, 3), random),
        pick(("I'll be {late} late, sorry", "Running late, give me {late}!", "I need {late} more"), random),
        {"late": values.duration(random)},
    )
    page.ask(name, "Who will be late?", "Who is running late?")
    page.ask("late", "How late will they be?", "How much later will they come?")
    name = chat.say(
        4,
        pick(("I'm coming by {by} from {town}.", "Taking the {by} from {town}"), random),
        {"by": pick(("bus", "train", "bike", "car", "tram"), random), "town": town},
    )
    page.ask("by", f"How does {people[4]} get there?", f"How is {people[4]} traveling?")
    page.ask("town", f"Where does {people[4]} come from?")
    page.ask(name, f"Who comes from {town}?")
