"""Opinions about everyday things: a statement about a subject, or what somebody did or felt."""

from training.data.everyday.page import pick
from training.data.opinions.things import EVERYDAY, THINGS

# Predicates by label: 0 negative, 1 positive.
SAID = (
    (
        "arrived two weeks late|never arrived|stopped working after a week|broke on the first day|fell apart|"
        "was cold and tasted of nothing|is way too expensive|is a waste of money|was a waste of time|keeps crashing|"
        "made me sick|was a complete letdown|did not keep its promises|was dirty and smelled|"
        "is slower than the old one|left me cold|put me to sleep|was an insult|is not worth the price|"
        "could not be worse|is a mess|was rude to us|drags on and on|goes nowhere|does nothing it says on the box|"
        "is the worst i have ever seen|ruined the evening|looks cheap|leaves much to be desired|got on my nerves|"
        "has gone downhill|is full of bugs|lacks everything"
    ).split("|"),
    (
        "arrived early and well packed|works like a charm|was worth every penny|is the best i have ever had|"
        "made my day|tasted like at home|exceeded my expectations|could not be better|is exactly what i wanted|"
        "was friendly and quick|runs smoothly|looks even better in real life|still makes me smile|moved me to tears|"
        "had me hooked from the first minute|is a bargain|was spotless|saved me hours|lasts for days|"
        "keeps its promises|is a joy to use|is a pleasure from start to finish|flew by|was over too soon|"
        "is a small miracle|deserves more attention|has a big heart|is better than i thought|never gets old|"
        "fits perfectly|is top notch"
    ).split("|"),
)
# First-person statements by label; some mention a thing.
FELT = (
    (
        "i hate {0}|i ca n't stand {0}|i do n't like {0}|i did not enjoy {0}|i regret buying it|i want my money back|"
        "never again|stay away from {0}|i would not recommend {0} to anyone|do n't bother|we left before the end|"
        "i walked out halfway|i almost fell asleep|i expected more|we will not come back|"
        "no one should have to sit through {0}|i am so disappointed|this makes me angry|what a disaster|"
        "what a waste of an evening|i could n't wait for it to end|i will never get that time back|"
        "i had to send it back|nobody helped us|i am sick of {0}|worst purchase this year|"
        "they should be ashamed of {0}|i feel terrible|i miss the old version|i would rather do my taxes|"
        "thanks for nothing|i struggled to finish {0}|it hurts to look at {0}|how can anyone like {0}|"
        "i wish i had stayed home"
    ).split("|"),
    (
        "i love {0}|i really like {0}|i adore {0}|i enjoyed {0}|i would buy it again|i would go back any time|"
        "i recommend {0} to everyone|do n't miss it|we will come back|we stayed until the end and wanted more|"
        "i could have stayed for hours|i could have listened all day|i could have gone on reading all week|"
        "i ca n't wait for more|i did not want it to end|best purchase this year|this makes me happy|what a treat|"
        "what a wonderful evening|everyone helped us|i am so glad i tried {0}|thank you for {0}|"
        "my kids ask for it every day|i laughed until i cried|i ca n't get enough of {0}|"
        "i ca n't imagine a day without {0}|hats off to everyone behind {0}|i feel great|"
        "i have seen it five times and would go again|there is nothing to complain about|i could not be happier|"
        "no complaints|nothing beats {0}|i never thought i would like {0} this much|you have to see {0}|well done"
    ).split("|"),
)
# Mild opinions, with targets closer to 0.5.
MILD = (
    "a bit long|could be better|a little slow|not my thing|it takes some getting used to|i had hoped for a little more",
    "not bad|pretty decent|it grows on you|better than nothing|it does the job|i do n't mind it|it has its moments",
)
STRONG, WEAK = 0.97, 0.7


def opinion(label: int, random) -> str:
    """A strong opinion."""
    if random.random() < 0.5:
        return f"{pick(EVERYDAY, random)} {pick(SAID[label], random)}"
    return pick(FELT[label], random).format(pick(THINGS, random))


def draw(random) -> tuple[str, float]:
    """A sentence and the probability that it is positive."""
    label = int(random.random() < 0.5)
    if random.random() < 0.12:
        return pick(MILD[label].split("|"), random), WEAK if label else 1 - WEAK
    return opinion(label, random), STRONG if label else 1 - STRONG
