"""WordPiece tokenization with the `tokenizers` library, without its truncation and padding."""

from pathlib import Path
from typing import TYPE_CHECKING

from training.data.glue import Row
from training.errors import TrainingError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PAD, UNKNOWN, CLS, SEP, MASK = 0, 100, 101, 102, 103
SPECIAL = {"[PAD]": PAD, "[UNK]": UNKNOWN, "[CLS]": CLS, "[SEP]": SEP, "[MASK]": MASK}
VOCABULARY = 30522


def load(directory: Path) -> "Tokenizer":
    """Load the tokenizer of a model directory."""
    # Imported lazily: tokenized data needs no tokenizer.
    from tokenizers import Tokenizer

    path = directory / "tokenizer.json"
    if not path.is_file():
        raise TrainingError(f"{path}: no such file; the model directory must contain its tokenizer")
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # `tokenizers` raises no other type
        raise TrainingError(f"{path}: not a valid tokenizer: {error}") from None
    for text, expected in SPECIAL.items():
        if tokenizer.token_to_id(text) != expected:
            raise TrainingError(
                f"{path}: the id of {text} is {tokenizer.token_to_id(text)}, not {expected}; only models with the "
                "vocabulary of bert-base-uncased can be trained"
            )
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def pieces(tokenizer: "Tokenizer", texts: list[str]) -> list[list[int]]:
    """Token ids of each text, without special tokens."""
    return [encoding.ids for encoding in tokenizer.encode_batch(texts, add_special_tokens=False)]


def encode_rows(tokenizer: "Tokenizer", rows: list[Row], max_length: int) -> list["Encoded"]:
    """`[CLS] first [SEP]` or `[CLS] first [SEP] second [SEP]`, truncated to `max_length`, longest text first."""
    firsts = pieces(tokenizer, [r.first for r in rows])
    seconds = pieces(tokenizer, [r.second or "" for r in rows])
    return [
        assemble(first, second if row.second is not None else None, max_length)
        for row, first, second in zip(rows, firsts, seconds, strict=True)
    ]


class Encoded:
    """Token ids and segment ids of an example."""

    __slots__ = ("ids", "types")

    def __init__(self, ids: list[int], types: list[int]):
        self.ids, self.types = ids, types

    def __len__(self) -> int:
        return len(self.ids)


def assemble(first: list[int], second: list[int] | None, max_length: int) -> Encoded:
    """Truncate one or two texts and add the special tokens."""
    if second is None:
        ids = [CLS, *first[: max_length - 2], SEP]
        return Encoded(ids, [0] * len(ids))
    first, second = list(first), list(second)
    while len(first) + len(second) > max_length - 3:
        (first if len(first) > len(second) else second).pop()
    ids = [CLS, *first, SEP, *second, SEP]
    return Encoded(ids, [0] * (len(first) + 2) + [1] * (len(second) + 1))
