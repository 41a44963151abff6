"""Changes questions so that their passage no longer answers them, as was done by hand for SQuAD v2.0.

The unanswerable questions of SQuAD v2.0 fall into categories (Rajpurkar et al. 2018, Table 2), of which these rules
cover entity swaps, negation, antonyms and mutual exclusion. They aren't always right: when a sample was read, 4 of 30
questions with a swapped name and 1 of 34 with an opposite still had an answer in their passage.
"""

import re

from training.data.unanswerable import mentions, sentences

_AUXILIARY = re.compile(r"\b(is|was|are|were|did|does|do|has|have|had|could|would|should)\b(?!\s+not\b|n't)")

# A word is replaced by another of its group: most are opposites, the others are mutually exclusive.
GROUPS = """
first last|largest smallest|biggest smallest|highest lowest|most least|more less|before after|earlier later|
oldest youngest|older younger|longest shortest|longer shorter|larger smaller|higher lower|best worst|better worse|
begin end|began ended|start stop|started stopped|increase decrease|increased decreased|rise fall|rose fell|win lose|
won lost|northern southern western eastern|northeast southwest|northwest southeast|north south east west|male female|
men women children|man woman|father mother brother sister son daughter|husband wife|king queen|support oppose|
supported opposed|allow forbid|allowed forbidden|accept reject|accepted rejected|join leave|joined left|buy sell|
bought sold|open close|opened closed|maximum minimum|majority minority|positive negative|public private|major minor|
upper lower|rich poor|hot cold|always never|inside outside|above below|gain lose|gained lost|arrive depart|
arrived departed|birth death|born dead|early late|common rare|success failure|strong weak|friend enemy|
ancient modern medieval|internal external|include exclude|included excluded|created destroyed|built demolished|
appointed dismissed|elected defeated|victory defeat|city river mountain island lake village|country city|
day week month year decade century|red blue green yellow black white|iron copper gold silver|
wrote painted directed composed|book film song painting|author director composer|president king bishop|
army navy|university hospital church museum|company university newspaper bank|school company|teachers students|
doctors lawyers engineers farmers|winter summer|morning evening|war peace|language religion|population area|
temperature pressure|height weight age|length width|advantage disadvantage|import export|
imports exports|cars trains ships|animals plants bacteria|birds fish insects|physics chemistry mathematics|
football baseball basketball|catholic protestant|democrats republicans|democratic republican|
european african asian american|french german spanish italian|english french chinese|land sea|urban rural|
national local international|political economic religious|military civilian|produced consumed|discovered invented|
married divorced|attacked defended|invaded liberated|founded abolished|taught learned|lend borrow|
morning afternoon|novel poem|bridge tunnel|gas liquid solid|
"""


def _partners() -> dict[str, list[str]]:
    partners: dict[str, list[str]] = {}
    for line in GROUPS.replace("\n", "").strip("|").split("|"):
        group = line.split()
        for word in group:
            others = partners.setdefault(word, [])
            others += [other for other in group if other != word and other not in others]
    return partners


PARTNERS = _partners()
_PARTNERED = re.compile(rf"(?<![\w-])({'|'.join(sorted(PARTNERS, key=len, reverse=True))})(?![\w-])", re.IGNORECASE)

# As a verb ("How long did it last?"), these words have no opposite.
_VERB = re.compile(r"(?:last|land)\b(?:\W*$|,|\s(?:for|from|in|on|at|until|longer|more)\b)", re.IGNORECASE)
# A passage that tells the year also tells the decade.
_WHICH_TIME = re.compile(r"\b(?:what|which)\s(?:day|week|month|year|decade|century)\b", re.IGNORECASE)


def swapped(question: str, passage: str, start: int, answer: str, random) -> str | None:
    """Replace a name, date or number in `question` by another of its kind; None if the passage has none.

    The replaced mention occurs in the passage (it ties the question to the passage). The new one comes from a sentence
    other than the answer's and is not part of the question or the answer. `start`: position of the answer.
    """
    answer_sentence = next((passage[a:b] for a, b in sentences.spans(passage) if a <= start < b), "")
    passage_mentions = mentions.find(passage)
    choices = []
    for mention in mentions.find(question):
        if mention.text not in passage:
            continue
        others = {
            other.text
            for other in passage_mentions
            if other.kind == mention.kind
            and (other.kind != "number" or len(other.text) == len(mention.text))
            and not _overlap(other.text, question)
            and not _overlap(other.text, answer)
            and other.text not in answer_sentence
        }
        choices += [(mention, other) for other in sorted(others)]
    if not choices:
        return None
    mention, other = choices[random.integers(len(choices))]
    return question[: mention.start] + other + question[mention.end :]


def negated(question: str) -> str | None:
    """Negate the first auxiliary verb of `question`; None if it has none."""
    match = _AUXILIARY.search(question)
    return None if match is None else f"{question[: match.end()]}n't{question[match.end() :]}"


def opposed(question: str, passage: str, random) -> str | None:
    """Replace a word in `question` by another of its group; None if it has no such word.

    Words that occur in the passage are preferred, since the question then looks answerable.
    """
    asked_times = {match.end() for match in _WHICH_TIME.finditer(question)}
    matches = [
        match
        for match in _PARTNERED.finditer(question)
        if match.end() not in asked_times and not _VERB.match(question, match.start())
    ]
    if not matches:
        return None
    match = matches[random.integers(len(matches))]
    others = PARTNERS[match.group().lower()]
    passage_words = set(re.findall(r"\w+", passage.lower()))
    others = [other for other in others if other in passage_words] or others
    other = others[random.integers(len(others))]
    if match.group()[0].isupper():
        other = other.capitalize()
    return question[: match.start()] + other + question[match.end() :]


def _overlap(one: str, other: str) -> bool:
    return one.lower() in other.lower() or other.lower() in one.lower()
