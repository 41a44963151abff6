#!/usr/bin/env python3
"""Token windows of SQuAD questions, cut as in BERT's `run_squad`: an independent reference for `mobilebert tokens --squad`.

Standard library only. Tokenization follows Google's `tokenization.py` (basic tokenizer, then WordPiece, word by word),
windows follow `convert_examples_to_features` and its max-context check. Unlike those, it keeps track of every character's
position in the source.

One line of JSON per window, without spaces:
  {"id", "window", "input_ids", "token_type_ids", "offsets", "max_context"}
The four lists are as long as the input, which isn't padded. `offsets` are [start, end) in UTF-8 bytes of the paragraph,
[0,0] outside the context; `max_context` is true for a context token in the window that shows it with the most context.

  run_squad_windows.py --data dev-v1.1.json --vocab vocab.txt > windows.jsonl
  run_squad_windows.py --data dev-v1.1.json --vocab vocab.txt --digest > digest.json    # per article: windows, sha256
"""

import argparse
import hashlib
import json
import sys
import unicodedata


def read_vocab(path):
    with open(path, encoding="utf-8", newline="\n") as file:
        return {line.rstrip("\r\n"): number for number, line in enumerate(file)}


def is_space(char):
    return char in " \t\n\r" or unicodedata.category(char) == "Zs"


def is_control(char):
    return char not in "\t\n\r" and unicodedata.category(char) in ("Cc", "Cf")


def is_punctuation(char):
    point = ord(char)
    ascii_mark = (
        33 <= point <= 47
        or 58 <= point <= 64
        or 91 <= point <= 96
        or 123 <= point <= 126
    )
    return ascii_mark or unicodedata.category(char).startswith("P")


CHINESE = [
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
]


def is_chinese(char):
    return any(low <= ord(char) <= high for low, high in CHINESE)


def lowered(word):
    """`str.lower` of the whole word (a final sigma depends on its neighbors), each character with its position."""
    text = "".join(char for char, _ in word).lower()
    positions = [position for char, position in word for _ in char.lower()]
    assert len(text) == len(positions), word
    return list(zip(text, positions))


def without_accents(word):
    """Canonical decomposition without non-spacing marks, each character with its position."""
    parts = [
        (part, position)
        for char, position in word
        for part in unicodedata.normalize("NFD", char)
    ]
    ordered, run = [], []
    for part in parts:
        if unicodedata.combining(part[0]):
            run.append(part)
            continue
        ordered += sorted(run, key=lambda entry: unicodedata.combining(entry[0])) + [
            part
        ]
        run = []
    ordered += sorted(run, key=lambda entry: unicodedata.combining(entry[0]))
    whole = unicodedata.normalize("NFD", "".join(char for char, _ in word))
    assert "".join(char for char, _ in ordered) == whole, word
    return [entry for entry in ordered if unicodedata.category(entry[0]) != "Mn"]


def split_spaces(chars):
    words, word = [], []
    for char, position in chars:
        if char.isspace():
            words.append(word)
            word = []
        else:
            word.append((char, position))
    return [word for word in [*words, word] if word]


def split_punctuation(chars):
    words, fresh = [], True
    for char, position in chars:
        if is_punctuation(char):
            words.append([(char, position)])
            fresh = True
        else:
            if fresh:
                words.append([])
            fresh = False
            words[-1].append((char, position))
    return words


class Tokenizer:
    def __init__(self, vocab, lower=True, longest=100):
        self.vocab, self.lower, self.longest = vocab, lower, longest

    def basic(self, chars):
        cleaned = []
        for char, position in chars:
            if char in "\x00\ufffd" or is_control(char):
                continue
            cleaned.append((" " if is_space(char) else char, position))
        spaced = []
        for char, position in cleaned:
            spaced += (
                [(" ", position), (char, position), (" ", position)]
                if is_chinese(char)
                else [(char, position)]
            )
        words = []
        for word in split_spaces(spaced):
            words += split_punctuation(
                without_accents(lowered(word)) if self.lower else word
            )
        return words

    def wordpiece(self, word):
        """Ids, each with its first and last position in the source."""
        text = "".join(char for char, _ in word)
        unknown = [
            (self.vocab["[UNK]"], min(p for _, p in word), max(p for _, p in word))
        ]
        if len(text) > self.longest:
            return unknown
        pieces, start = [], 0
        while start < len(text):
            for end in range(len(text), start, -1):
                piece = ("##" if start else "") + text[start:end]
                if piece in self.vocab:
                    positions = [position for _, position in word[start:end]]
                    pieces.append((self.vocab[piece], min(positions), max(positions)))
                    start = end
                    break
            else:
                return unknown
        return pieces

    def tokenize(self, text, shift=0):
        chars = [(char, shift + at) for at, char in enumerate(text)]
        return [piece for word in self.basic(chars) for piece in self.wordpiece(word)]


def document_words(text):
    """(position, word) pairs, split as in `read_squad_examples`."""
    words, fresh = [], True
    for at, char in enumerate(text):
        if char in " \t\r\n" or ord(char) == 0x202F:
            fresh = True
        elif fresh:
            words.append([at, char])
            fresh = False
        else:
            words[-1][1] += char
    return words


def tokenize_document(tokenizer, text):
    """Token ids of a paragraph with their byte ranges."""
    before = [0]
    for char in text:
        before.append(before[-1] + len(char.encode("utf-8", "surrogatepass")))
    tokens = []
    for position, word in document_words(text):
        tokens += [
            (i, before[first], before[last + 1])
            for i, first, last in tokenizer.tokenize(word, position)
        ]
    return tokens


def spans_of(tokens, room, stride):
    spans, start = [], 0
    while start < tokens:
        length = min(tokens - start, room)
        spans.append((start, length))
        if start + length == tokens:
            break
        start += min(length, stride)
    return spans


def is_max_context(spans, current, position):
    best_score, best = None, None
    for number, (start, length) in enumerate(spans):
        end = start + length - 1
        if position < start or position > end:
            continue
        score = min(position - start, end - position) + 0.01 * length
        if best_score is None or score > best_score:
            best_score, best = score, number
    return best == current


def windows(vocab, question, document, sizes):
    max_length, stride, max_question = sizes
    query = [i for i, _, _ in question][:max_question]
    room = max_length - len(query) - 3
    spans = spans_of(len(document), room, stride)
    head = [vocab["[CLS]"], *query, vocab["[SEP]"]]
    for number, (start, length) in enumerate(spans):
        span = document[start : start + length]
        near = range(max(0, number - room), min(len(spans), number + room + 1))
        local = [spans[index] for index in near]
        here = number - near.start
        yield {
            "window": number,
            "input_ids": [*head, *(i for i, _, _ in span), vocab["[SEP]"]],
            "token_type_ids": [0] * len(head) + [1] * (length + 1),
            "offsets": [[0, 0]] * len(head)
            + [[first, last] for _, first, last in span]
            + [[0, 0]],
            "max_context": [False] * len(head)
            + [is_max_context(local, here, start + at) for at in range(length)]
            + [False],
        }


def lines(arguments):
    vocab = read_vocab(arguments.vocab)
    tokenizer = Tokenizer(vocab, lower=not arguments.cased)
    sizes = (arguments.max_length, arguments.doc_stride, arguments.max_question)
    with open(arguments.data, encoding="utf-8") as file:
        articles = json.load(file)["data"]
    for article in articles:
        for paragraph in article["paragraphs"]:
            document = tokenize_document(tokenizer, paragraph["context"])
            for question in paragraph["qas"]:
                asked = tokenizer.tokenize(question["question"])
                for window in windows(vocab, asked, document, sizes):
                    line = json.dumps(
                        {"id": question["id"], **window}, separators=(",", ":")
                    )
                    yield article["title"], line + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="a SQuAD file")
    parser.add_argument("--vocab", required=True, help="vocab.txt")
    parser.add_argument("--max-length", type=int, default=384)
    parser.add_argument("--doc-stride", type=int, default=128)
    parser.add_argument("--max-question", type=int, default=64)
    parser.add_argument(
        "--cased", action="store_true", help="don't lowercase or strip accents"
    )
    parser.add_argument(
        "--digest",
        action="store_true",
        help="print the number of windows and their sha256 per article",
    )
    arguments = parser.parse_args()
    if not arguments.digest:
        sys.stdout.writelines(line for _, line in lines(arguments))
        return
    digests = {}
    for title, line in lines(arguments):
        count, digest = digests.setdefault(title, [0, hashlib.sha256()])
        digest.update(line.encode())
        digests[title][0] = count + 1
    table = [
        {"title": t, "windows": n, "sha256": d.hexdigest()}
        for t, (n, d) in digests.items()
    ]
    json.dump(table, sys.stdout, ensure_ascii=False, indent=0)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
