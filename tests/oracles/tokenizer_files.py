"""Writes `fixtures/tokenizer_files.json`: tokenizer files of many kinds, and what `transformers` makes of texts with them.

The fast tokenizers of transformers 4.57 decide; 5.x ignores the normalizer, the pre-tokenizer and the post-processor of a
`tokenizer.json` unless `tokenizer_class` is a generic one.

    pip install transformers==4.57.1
    python tests/oracles/tokenizer_files.py [--seed 1] [--random 24] [--out FILE]
"""

import argparse
import json
import random
import tempfile
from pathlib import Path

import transformers

FIXTURES = Path(__file__).parent / "fixtures"
VOCAB = (FIXTURES / "vocab.txt").read_text(encoding="utf-8")
TOKENS = VOCAB.splitlines()
COUNT = len(TOKENS)
CLS, SEP = TOKENS.index("[CLS]"), TOKENS.index("[SEP]")


def added(content: str, **flags) -> dict:
    fields = {"lstrip": False, "rstrip": False, "single_word": False, "normalized": False, "special": True}
    return {"content": content, **fields, **flags}


def normalizer(**flags) -> dict:
    fields = {"clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True}
    return {"type": "BertNormalizer", **fields, **flags}


def text(name: str, type_id: int = 0) -> dict:
    return {"Sequence": {"id": name, "type_id": type_id}}


def special(name: str, type_id: int = 0) -> dict:
    return {"SpecialToken": {"id": name, "type_id": type_id}}


def template(single: list, pair: list, **ids: list[int]) -> dict:
    known = {"[CLS]": [CLS], "[SEP]": [SEP], **{f"[{name}]": value for name, value in ids.items()}}
    tokens = {name: {"id": name, "ids": value, "tokens": [name] * len(value)} for name, value in known.items()}
    return {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": tokens}


BERT = template(
    [special("[CLS]"), text("A"), special("[SEP]")],
    [special("[CLS]"), text("A"), special("[SEP]"), text("B", 1), special("[SEP]", 1)],
)
REVERSED = template(
    [text("A"), special("[SEP]", 1)],
    [special("[TASK]"), text("B", 1), special("[SEP]", 1), text("A")],
    TASK=[TOKENS.index("a"), TOKENS.index("the")],
)
PROCESSORS = [
    BERT,
    BERT,
    REVERSED,
    None,
    {"type": "BertProcessing", "sep": ["[SEP]", SEP], "cls": ["[CLS]", CLS]},
    {
        "type": "RobertaProcessing",
        "sep": ["[SEP]", SEP],
        "cls": ["[CLS]", CLS],
        "trim_offsets": False,
        "add_prefix_space": False,
    },
    {"type": "Sequence", "processors": [REVERSED]},
]
PRE_TOKENIZERS = [
    {"type": "BertPreTokenizer"},
    {"type": "Whitespace"},
    {"type": "WhitespaceSplit"},
    {"type": "Sequence", "pretokenizers": [{"type": "Whitespace"}]},
]


def tokenizer_json(**parts) -> dict:
    """Without its vocabulary, which `complete` adds."""
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": normalizer(),
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": BERT,
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
        },
        **parts,
    }


LISTED = [{"id": TOKENS.index(token), **added(token)} for token in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")]

CASES = {
    "added_tokens.json": {"vocab.txt": "", "added_tokens.json": {"[E1]": COUNT + 1, "Goat": COUNT}},
    "added_tokens.json with a gap": {"vocab.txt": "", "added_tokens.json": {"[E1]": COUNT + 7, "[E2]": COUNT + 3}},
    "added_tokens.json next to tokenizer.json": {
        "tokenizer.json": tokenizer_json(added_tokens=LISTED),
        "added_tokens.json": {"[E1]": COUNT},
    },
    "special_tokens_map.json": {
        "vocab.txt": "",
        "added_tokens.json": {"[E1]": COUNT},
        "special_tokens_map.json": {
            "mask_token": added("[MASK]", lstrip=True),
            "additional_special_tokens": ["[E1]", added("[E2]", lstrip=True, rstrip=True)],
        },
    },
    "added_tokens_decoder hides the older files": {
        "vocab.txt": "",
        "added_tokens.json": {"[E2]": COUNT},
        "special_tokens_map.json": {"sep_token": "the"},
        "tokenizer_config.json": {"added_tokens_decoder": {str(COUNT): added("[E1]", special=False)}},
    },
    "added_tokens_decoder next to tokenizer.json": {
        "tokenizer.json": tokenizer_json(added_tokens=[*LISTED, {"id": COUNT, **added("[E1]")}]),
        "tokenizer_config.json": {
            "added_tokens_decoder": {
                str(COUNT): added("[E1]", lstrip=True, rstrip=True),
                str(COUNT + 1): added("goat", single_word=True, normalized=True, special=False),
                str(COUNT + 2): added("New York", normalized=True, special=False),
            }
        },
    },
    "tokens that the vocabulary lacks": {
        "vocab.txt": "",
        "tokenizer_config.json": {"sep_token": "</s>", "bos_token": "<s>", "additional_special_tokens": ["[E2]"]},
    },
    "a cased tokenizer.json without settings": {"tokenizer.json": tokenizer_json(normalizer=normalizer(lowercase=False))},
    "a cased sequence without settings": {
        "tokenizer.json": tokenizer_json(normalizer={"type": "Sequence", "normalizers": [normalizer(lowercase=False)]})
    },
    "no normalizer": {
        "tokenizer.json": tokenizer_json(normalizer=None),
        "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast"},
    },
    "fields that only slow tokenizers read": {
        "vocab.txt": "",
        "tokenizer_config.json": {"do_basic_tokenize": False, "never_split": ["the,"], "do_lower_case": False},
    },
    "a short limit": {"vocab.txt": "", "tokenizer_config.json": {"model_max_length": 9}},
    "a short limit from the left": {
        "tokenizer.json": tokenizer_json(added_tokens=LISTED),
        "tokenizer_config.json": {"max_len": 7, "truncation_side": "left"},
    },
    "no type ids": {"vocab.txt": "", "tokenizer_config.json": {"model_input_names": ["input_ids", "attention_mask"]}},
    "DistilBERT's class": {"vocab.txt": "", "tokenizer_config.json": {"tokenizer_class": "DistilBertTokenizer"}},
    "special tokens are text": {"vocab.txt": "", "tokenizer_config.json": {"split_special_tokens": True}},
    "Windows line endings and a repeated line": {"vocab.txt": "the\n", "added_tokens.json": {"[E1]": COUNT + 1}},
    **{f"post-processor {index}": {"tokenizer.json": tokenizer_json(added_tokens=LISTED, post_processor=part)} for index, part in enumerate(PROCESSORS)},
    **{f"pre-tokenizer {index}": {"tokenizer.json": tokenizer_json(added_tokens=LISTED, pre_tokenizer=part)} for index, part in enumerate(PRE_TOKENIZERS)},
}

TEXTS = [
    ("the [E1] goat,[SEP] [sep]  [E2] . GOAT goats nEw YÖrk [MASK] a_b ½x² 東京 café", None),
    ("The  [E1][E2]the </s><s>", "a [MASK] the goat [PAD]in the tower of [UNK]"),
]


def some(choice: random.Random, values: dict) -> dict:
    return {name: value for name, value in values.items() if choice.random() < 0.4}


def random_files(choice: random.Random) -> dict:
    flag = lambda: choice.random() < 0.5
    words = ["[E1]", "[E2]", "goat", "New York", "Étude", "the", "[MASK]", "x²", "</s>", "##s", "[E1]x"]
    def token() -> dict:
        return added(choice.choice(words), lstrip=flag(), rstrip=flag(), single_word=flag(), normalized=flag(), special=flag())
    files = {}
    if flag():
        files["vocab.txt"] = ""
    else:
        listed, seen = list(LISTED) if flag() else [], {entry["content"] for entry in LISTED}
        following = COUNT
        for entry in [token() for _ in range(choice.randrange(4))]:
            if entry["content"] in seen:
                continue
            seen.add(entry["content"])
            known = entry["content"] in TOKENS
            listed.append({"id": TOKENS.index(entry["content"]) if known else following, **entry})
            following += not known
        norm = normalizer(
            clean_text=flag(), handle_chinese_chars=flag(), strip_accents=choice.choice([None, True, False]), lowercase=flag()
        )
        files["tokenizer.json"] = tokenizer_json(
            added_tokens=listed,
            normalizer=choice.choice([norm, norm, {"type": "Sequence", "normalizers": [norm]}]),
            pre_tokenizer=choice.choice(PRE_TOKENIZERS),
            post_processor=choice.choice(PROCESSORS),
        )
    config = some(
        choice,
        {
            "do_lower_case": flag(),
            "strip_accents": choice.choice([None, True, False]),
            "tokenize_chinese_chars": flag(),
            "tokenizer_class": choice.choice(["BertTokenizer", "MobileBertTokenizerFast", "DistilBertTokenizer"]
                                             + ["PreTrainedTokenizerFast"] * ("tokenizer.json" in files)),
            "sep_token": choice.choice(["[SEP]", {"__type": "AddedToken", **added("[SEP]", rstrip=True)}]),
            "mask_token": choice.choice(["[MASK]", "<mask>", {"__type": "AddedToken", **added("[MASK]", lstrip=True)}]),
            "additional_special_tokens": choice.sample(words, 2),
            "model_max_length": choice.choice([512, 10, 8, 1e30, 1000000000000000019884624838656]),
            "truncation_side": choice.choice(["left", "right"]),
            "model_input_names": choice.choice([["input_ids"], ["input_ids", "token_type_ids", "attention_mask"]]),
            "split_special_tokens": flag(),
        },
    )
    if flag():
        decoder = {}
        for entry in [token() for _ in range(choice.randrange(1, 4))]:
            index = TOKENS.index(entry["content"]) if entry["content"] in TOKENS else COUNT + len(decoder) + choice.randrange(2) * 5
            if entry["content"] not in [other["content"] for other in decoder.values()]:
                decoder[str(index)] = entry
        config["added_tokens_decoder"] = decoder
    if choice.random() < 0.8:
        files["tokenizer_config.json"] = config
    if flag():
        files["special_tokens_map.json"] = some(
            choice,
            {
                "unk_token": choice.choice(["[UNK]", added("[UNK]")]),
                "cls_token": choice.choice(["[CLS]", added("[CLS]", lstrip=True)]),
                "sep_token": choice.choice(["[SEP]", added("[SEP]", lstrip=True)]),
                "additional_special_tokens": [choice.choice(words[:5]), added(choice.choice(words[5:]), lstrip=flag())],
            },
        )
    if flag():
        # Together, 4.57 takes one for the other.
        files.get("special_tokens_map.json", {}).pop("additional_special_tokens", None)
        files["added_tokens.json"] = {word: COUNT + index for index, word in enumerate(choice.sample(words[:5], 2))}
    return files


def random_text(choice: random.Random) -> str:
    parts = ["the", " ", "  ", "[E1]", "[E2]", "goat", "goats", "New York", "new york", "ÉTUDE", "é", "e\u0301", "[MASK]"]
    parts += ["[SEP]", "[sep]", "</s>", "x²", "½", "東京", "_", ",", "..", "\u200d", "\u0000", "\t", "\n", "\u00a0", "##s"]
    parts += ["tower", "the", " ", " ", "İ", "ﬁ", "😀", "[PAD]", "<mask>", "\u3000", "'s", "[E1]x"]
    return "".join(choice.choice(parts) for _ in range(choice.randrange(1, 16)))


def complete(name: str, content) -> str:
    """The text of a file."""
    if name == "vocab.txt":
        return VOCAB + content
    if name == "tokenizer.json":
        model = {**content["model"], "vocab": {token: index for index, token in enumerate(TOKENS)}}
        return json.dumps({**content, "model": model})
    return json.dumps(content)


def expected(tokenizer, first: str, second: str | None) -> dict:
    texts = [first] if second is None else [first, second]
    limited = tokenizer.model_max_length < 10**6
    encoded = tokenizer(*texts, truncation=limited, return_offsets_mapping=True)
    ids = encoded["input_ids"]
    pieces: list[list] = [[], []]
    for position, index in enumerate(encoded.sequence_ids()):
        if index is not None:
            start, end = (len(texts[index][:at].encode()) for at in encoded["offset_mapping"][position])
            pieces[index].append([position, start, end])
    types = encoded.get("token_type_ids", [0] * len(ids))
    return {"text": first, "pair": second, "ids": ids, "type_ids": types, "pieces": pieces}


def case(name: str, files: dict, texts: list) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        for file, content in files.items():
            (Path(folder) / file).write_text(complete(file, content), encoding="utf-8")
        (Path(folder) / "config.json").write_text('{"model_type": "mobilebert"}')
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        # Adding nothing new makes tokenizers 0.22 forget the normalizer that the class has replaced, as 0.23 does by
        # itself.
        tokenizer.backend_tokenizer.add_tokens(list(tokenizer.added_tokens_decoder.values()))
        return {"name": name, "files": files, "texts": [expected(tokenizer, *pair) for pair in texts]}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--random", type=int, default=24)
    parser.add_argument("--out", type=Path, default=FIXTURES / "tokenizer_files.json")
    options = parser.parse_args()
    assert transformers.__version__.startswith("4.57"), transformers.__version__
    transformers.logging.set_verbosity_error()
    cases = [case(name, files, TEXTS) for name, files in CASES.items()]
    choice = random.Random(options.seed)
    refused = 0
    while len(cases) < len(CASES) + options.random:
        texts = [(random_text(choice), None), (random_text(choice), random_text(choice))]
        try:
            cases.append(case(f"random {len(cases)}", random_files(choice), texts))
        except Exception as error:  # noqa: BLE001 (the tokenizers library raises nothing narrower)
            refused += 1
            print(f"transformers refuses one: {type(error).__name__}: {str(error)[:100]}")
    lines = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in cases)
    options.out.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(f"{len(cases)} cases, {refused} refused")


if __name__ == "__main__":
    main()
