"""Texts without an opinion: sentences of an encyclopedia, lines of everyday texts, questions, numbers, emoji."""

from collections.abc import Mapping, Sequence

from training.data.everyday import draw as draw_page
from training.data.everyday import values, words
from training.data.everyday.page import pick
from training.data.opinions.things import EVERYDAY
from training.data.unanswerable import sentences

LONGEST = 32  # words
# Neutral statements about things.
STATES = (
    "is on the second floor|is next to the station|is made of wood|is made of steel|comes in three sizes|"
    "costs about the same as last year|is open from nine to five|starts at half past seven|ends on friday|"
    "was moved to the next room|has two doors|has four wheels|weighs two kilograms|is gray|is blue|"
    "is about ten years old|was published in march|was announced on monday|will be continued next week|"
    "takes place in june|is forty pages long|is 120 minutes long|is in english|is set in norway|"
    "was directed by her brother|was written by two people|has a sequel|is in black and white|was average|is okay|"
    "was fine , nothing more|was neither good nor bad|was so-so|is about what you would expect|"
    "was mediocre , no more and no less|is neither here nor there|has its good and its bad sides|"
    "has some strengths and some weaknesses|was as usual"
).split("|")
REMARKS = (
    "see you at {time}|i will be there at {time}|we meet on {day}|please call me on {day}|{person} lives in {town}|"
    "{person} took the bus to {town}|{person} and {other} went to {town} on {day}|the meeting is on {day}|"
    "i am in {town} until {day}|the {device} is in {room}|i have not seen it yet|i do not know|"
    "i have no opinion on this|i bought {food} and {goods}|my name is {person}|this is a test|hello|hi there|ok|"
    "the door is open|it is {time}|today is {day}|{person} is reading a book|{person} works in a {place}|"
    "we watched it on {day}|i ordered a {goods}|the {place} is on {street}|the film is about a {place}|"
    "they are still deciding|some people agree , others do not|the sky is {color}|the car is {color}|"
    "turn left at the {place}|the answer is on the next page"
).split("|")
# Unicode blocks of emoji; BERT's vocabulary has none of them.
EMOJI = [chr(code) for code in (*range(0x1F600, 0x1F645), *range(0x1F440, 0x1F460), *range(0x1F300, 0x1F320))]


class Facts:
    """Draws texts without an opinion. `polar`: words that express an opinion in SST-2."""

    def __init__(self, paragraphs: Sequence[str], polar: Mapping[str, int]):
        self.paragraphs, self.polar = paragraphs, polar

    def draw(self, random) -> str:
        """Draw a text."""
        kind = random.random()
        if kind < 0.35:
            return self._sentence(random)
        if kind < 0.45:
            return pick(draw_page(random).text.strip().split("\n"), random) or "-"
        if kind < 0.53:
            return draw_page(random).question
        if kind < 0.72:
            return f"{pick(EVERYDAY, random)} {pick(STATES, random)}"
        if kind < 0.9:
            return _remark(random)
        return _without_words(random)

    def _sentence(self, random) -> str:
        # Paragraphs with only opinions or long sentences are rare; if no sentence is found, a remark is a fact, too.
        for _ in range(20):
            text = pick(self.paragraphs, random)
            start, end = pick(sentences.spans(text) or [(0, len(text))], random)
            sentence = text[start:end]
            plain = sentence.lower().replace(",", " ").replace(".", " ").split()
            if 4 <= len(plain) <= LONGEST and not any(word in self.polar for word in plain):
                return sentence
        return _remark(random)


def _remark(random) -> str:
    return pick(REMARKS, random).format(
        time=values.clock(random),
        day=pick(words.WEEKDAYS, random),
        person=pick(words.PEOPLE, random),
        other=pick(words.PEOPLE, random),
        town=pick(words.TOWNS, random),
        room=pick(words.ROOMS, random),
        device=pick(words.DEVICES, random),
        food=pick(words.FOODS, random),
        goods=pick(words.GOODS, random),
        place=pick(words.PLACES, random),
        street=pick(words.STREETS, random),
        color=pick(words.COLORS, random),
    )


def _without_words(random) -> str:
    # Emoji become unknown tokens, which must not count as positive or negative.
    kind = random.random()
    if kind < 0.4:
        return "".join(pick(EMOJI, random) for _ in range(int(random.integers(1, 6))))
    if kind < 0.6:
        return str(random.integers(0, 100_000))
    if kind < 0.8:
        return "".join(pick("?!.,-:;()", random) for _ in range(int(random.integers(1, 5))))
    return "".join(pick("abcdefghijklmnopqrstuvwxyz", random) for _ in range(int(random.integers(1, 9))))
