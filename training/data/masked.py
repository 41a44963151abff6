"""Paragraphs with some words replaced by `[MASK]`, as text, for scoring with the engine."""

import re
from dataclasses import dataclass

import numpy as np

from training.config import Config
from training.data import corpus, tokens
from training.errors import TrainingError
from training.folders import Folders

_WORD = re.compile(r"\b[^\W_]+\b(?!['’-])")
# About 3,000 masked words, so that a difference of 1.5 points is significant.
TEXTS, SHARE = 400, 0.15
SHORTEST, LONGEST = 40, 80


@dataclass(frozen=True)
class MaskedText:
    """A text with `[MASK]`s. `words`: token ids of the masked words; `written`: their original spelling."""

    text: str
    words: list[int]
    written: list[str]


def draw(config: Config, folders: Folders, tokenizer) -> list[MaskedText]:
    """Draw paragraphs of 40 to 80 words from the configured files and mask words in them."""
    files = [folders.data_file(*name.split("/")) for name in config.data.files]
    lines = [line for path in files for part in corpus.chunks(path, 2000) for line in part]
    lines = [line for line in lines if SHORTEST <= len(line.split()) <= LONGEST and "[" not in line]
    random = np.random.default_rng(config.seed)
    masked = [mask(lines[i], tokenizer, random) for i in random.permutation(len(lines))[:TEXTS]]
    texts = [text for text in masked if text.words]
    if not texts:
        raise TrainingError(
            f"{', '.join(map(str, files))}: no word can be masked in any paragraph of {SHORTEST} to {LONGEST} words; "
            "use other texts"
        )
    return texts


def mask(text: str, tokenizer, random: np.random.Generator) -> MaskedText:
    """Mask about a seventh of the words that are a single token."""
    masked, words, written, last = "", [], [], 0
    for word in _WORD.finditer(text):
        if random.random() >= SHARE:
            continue
        [pieces] = tokens.pieces(tokenizer, [word.group()])
        if len(pieces) != 1 or pieces[0] == tokens.UNKNOWN or not _starts_word(text, word):
            continue
        masked += text[last : word.start()] + "[MASK]"
        words, written, last = [*words, pieces[0]], [*written, word.group()], word.end()
    return MaskedText(masked + text[last:], words, written)


def _starts_word(text: str, word: re.Match) -> bool:
    """Return whether the word starts the text or follows a space, opening parenthesis or quotation mark."""
    return word.start() == 0 or text[word.start() - 1] in ' (“"'
