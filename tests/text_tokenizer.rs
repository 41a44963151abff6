//! Pieces, their offsets in the source, and the files of a tokenizer.

mod support;

use mobilebert::error::{Code, Error};
use mobilebert::text::{Piece, Tokenizer, TokenizerFiles};
use serde_json::{Value, json};
use support::random::Random;

const VOCAB: &str = include_str!("oracles/fixtures/vocab.txt");

fn by_vocab(config: Value) -> Tokenizer {
    let config = config.to_string();
    Tokenizer::from_files(TokenizerFiles {
        vocab: Some(VOCAB),
        tokenizer_config: Some(&config),
        ..Default::default()
    })
    .unwrap()
}

fn uncased() -> Tokenizer {
    by_vocab(json!({}))
}

/// A `tokenizer.json` with the vocabulary of the fixtures.
fn tokenizer_json() -> Value {
    let vocab: serde_json::Map<String, Value> =
        VOCAB.lines().enumerate().map(|(id, token)| (token.to_owned(), id.into())).collect();
    json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": null, "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": null,
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocab},
    })
}

fn by_json(json: &Value) -> Result<Tokenizer, Error> {
    let json = json.to_string();
    Tokenizer::from_files(TokenizerFiles { tokenizer_json: Some(&json), ..Default::default() })
}

fn shown<'a>(tokenizer: &Tokenizer, text: &'a str) -> Vec<(String, &'a str)> {
    let pieces = tokenizer.encode(text).unwrap();
    pieces.iter().map(|piece| (tokenizer.token(piece.id).unwrap(), &text[piece.range()])).collect()
}

fn spelled(tokenizer: &Tokenizer, text: &str) -> Vec<String> {
    shown(tokenizer, text).into_iter().map(|(token, _)| token).collect()
}

#[test]
fn pieces_have_offsets_in_the_source_despite_normalization() {
    let tokenizer = uncased();
    let cases: &[(&str, &[(&str, &str)])] = &[
        ("The TOWER", &[("the", "The"), ("tower", "TOWER")]),
        ("\u{feff}the\u{0} tower\u{200b}", &[("the", "the"), ("tower", "tower")]),
        ("t\u{200d}he", &[("the", "t\u{200d}he")]),
        ("Môn", &[("mon", "Môn")]),
        ("Mo\u{302}n", &[("mon", "Mo\u{302}n")]),
        ("o\u{302}", &[("o", "o")]),
        ("İs", &[("is", "İs")]),
        ("東京", &[("東", "東"), ("京", "京")]),
        ("a東b", &[("a", "a"), ("東", "東"), ("b", "b")]),
        ("\u{202f}the\u{a0}\r\n\tlog", &[("the", "the"), ("log", "log")]),
        ("👍🏽", &[("[UNK]", "👍🏽")]),
        ("👨\u{200d}👩\u{200d}👧.", &[("[UNK]", "👨\u{200d}👩\u{200d}👧"), (".", ".")]),
        ("", &[]),
        (" \u{200b}\n", &[]),
        ("e", &[("e", "e")]),
    ];
    for (text, expected) in cases {
        let found = shown(&tokenizer, text);
        let found: Vec<(&str, &str)> = found.iter().map(|(token, slice)| (token.as_str(), *slice)).collect();
        assert_eq!(&found, expected, "{text:?}");
    }
}

#[test]
fn right_to_left_text_keeps_logical_order() {
    let text = "شاي مع نعناع";
    let slices: String = shown(&uncased(), text).into_iter().map(|(_, slice)| slice).collect();
    assert_eq!(slices, text.replace(' ', ""));
}

#[test]
fn special_tokens_written_by_a_user_are_plain_text() {
    for tokenizer in [uncased(), by_json(&tokenizer_json()).unwrap()] {
        let special = tokenizer.special();
        for text in ["[SEP]", "a[SEP]b", "[CLS] [PAD] [UNK] [MASK]", "[sep]"] {
            let pieces = tokenizer.encode(text).unwrap();
            let control = [Some(special.class), Some(special.separator), special.padding, special.mask];
            assert!(pieces.iter().all(|piece| !control.contains(&Some(piece.id))), "{text}: {pieces:?}");
        }
        assert_eq!(spelled(&tokenizer, "[SEP]"), ["[", "sep", "]"]);
    }
}

#[test]
fn only_fill_mask_recognizes_the_mask_token() {
    let tokenizer = uncased();
    let text = "the [MASK] is a[MASK].";
    let pieces = tokenizer.encode_with_masks(text).unwrap();
    let found: Vec<&str> = pieces.iter().map(|piece| &text[piece.range()]).collect();
    assert_eq!(found, ["the", "[MASK]", "is", "a", "[MASK]", "."]);
    assert_eq!(pieces.iter().map(|piece| piece.word).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    assert_eq!(pieces[1].id, tokenizer.special().mask.unwrap());
}

#[test]
fn random_texts_give_valid_pieces() {
    let tokenizers = [
        uncased(),
        by_vocab(json!({"do_lower_case": false})),
        by_vocab(json!({"tokenize_chinese_chars": false})),
    ];
    let mut random = Random::new(7);
    for round in 0..3000 {
        let text = random.text(if round % 100 == 0 { 3000 } else { 60 });
        for tokenizer in &tokenizers {
            let pieces = tokenizer.encode(&text).unwrap();
            check_pieces(&text, &pieces);
            for word in words(&pieces) {
                let source = &text[word[0].start..word[word.len() - 1].end];
                let again = tokenizer.encode(source).unwrap();
                let ids = |pieces: &[Piece]| pieces.iter().map(|piece| piece.id).collect::<Vec<_>>();
                assert_eq!(ids(&again), ids(word), "{source:?} of {text:?}");
            }
        }
    }
}

/// Offsets are in order, at character boundaries, never empty, and never begin or end with white space.
fn check_pieces(text: &str, pieces: &[Piece]) {
    let mut before = Piece { id: 0, start: 0, end: 0, word: 0 };
    for piece in pieces {
        let slice = text.get(piece.range()).unwrap_or_else(|| panic!("{piece:?} of {text:?}"));
        assert!(!slice.is_empty() && slice.trim() == slice, "{slice:?} of {text:?}");
        assert!(before.start <= piece.start && before.end <= piece.end, "{before:?} {piece:?} of {text:?}");
        assert!(piece.word == before.word || piece.word == before.word + 1, "{piece:?} of {text:?}");
        before = *piece;
    }
}

fn words(pieces: &[Piece]) -> impl Iterator<Item = &[Piece]> {
    pieces.chunk_by(|a, b| a.word == b.word)
}

#[test]
fn a_long_text_has_the_same_pieces_as_its_parts() {
    let tokenizer = uncased();
    let mut random = Random::new(11);
    let mut text = String::new();
    let mut expected: Vec<Piece> = Vec::new();
    while text.len() < 1 << 20 {
        let part = random.text(40);
        text.push(' ');
        let (shift, first) = (text.len(), expected.last().map_or(0, |piece| piece.word + 1));
        let pieces = tokenizer.encode(&part).unwrap();
        expected.extend(pieces.into_iter().map(|piece| Piece {
            id: piece.id,
            start: piece.start + shift,
            end: piece.end + shift,
            word: piece.word + first,
        }));
        text.push_str(&part);
    }
    assert_eq!(tokenizer.encode(&text).unwrap(), expected);
}

#[test]
fn texts_without_spaces_are_tokenized_as_a_whole() {
    let tokenizer = uncased();
    assert_eq!(tokenizer.encode(&"東".repeat(200_000)).unwrap().len(), 200_000);
    let unknown = tokenizer.encode(&"x".repeat(1 << 20)).unwrap();
    assert_eq!((unknown.len(), unknown[0].range()), (1, 0..1 << 20));
    assert_eq!(tokenizer.encode(&"\u{301}".repeat(100_000)).unwrap(), []);
    let longest = tokenizer.encode(&"x".repeat(100)).unwrap();
    assert!(longest.len() > 1 && longest.iter().all(|piece| piece.id != tokenizer.special().unknown));
}

#[test]
fn cased_tokenizers_keep_case_and_accents() {
    assert_eq!(spelled(&by_vocab(json!({"do_lower_case": false})), "the The"), ["the", "[UNK]"]);
    let stripping = by_vocab(json!({"do_lower_case": false, "strip_accents": true}));
    assert_eq!(spelled(&stripping, "thé"), ["the"]);
    let keeping = by_vocab(json!({"strip_accents": false}));
    assert_eq!(spelled(&keeping, "THE thé"), ["the", "[UNK]"]);
    let joined = by_vocab(json!({"tokenize_chinese_chars": false}));
    assert_eq!(spelled(&joined, "東東"), ["[UNK]"]);
}

#[test]
fn tokenizer_json_takes_precedence_over_the_other_files() {
    let mut json = tokenizer_json();
    json["normalizer"]["lowercase"] = false.into();
    let json = json.to_string();
    let files = TokenizerFiles {
        tokenizer_json: Some(&json),
        tokenizer_config: Some(r#"{"do_lower_case": true, "tokenizer_class": "PreTrainedTokenizerFast"}"#),
        vocab: Some("[UNK]\n[CLS]\n[SEP]\nother\n"),
    };
    let tokenizer = Tokenizer::from_files(files).unwrap();
    assert_eq!(
        spelled(&tokenizer, "the The other"),
        spelled(&by_vocab(json!({"do_lower_case": false})), "the The other")
    );
}

#[test]
fn truncation_and_padding_in_tokenizer_json_are_ignored() {
    let mut json = tokenizer_json();
    json["truncation"] =
        json!({"direction": "Right", "max_length": 128, "strategy": "LongestFirst", "stride": 0});
    json["padding"] = json!({"strategy": {"Fixed": 128}, "direction": "Right", "pad_to_multiple_of": null,
        "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"});
    let tokenizer = by_json(&json).unwrap();
    for words in [1, 1000] {
        assert_eq!(tokenizer.encode(&"the ".repeat(words)).unwrap().len(), words);
    }
}

#[test]
fn added_tokens_are_found_in_text() {
    let mut json = tokenizer_json();
    let next = VOCAB.lines().count();
    let added = |at: usize, content: &str, single_word: bool, normalized: bool| {
        json!({"id": next + at, "content": content, "single_word": single_word, "lstrip": true, "rstrip": true,
            "normalized": normalized, "special": !normalized})
    };
    json["added_tokens"] = json!([
        added(0, "[E1]", false, false),
        added(1, "New York", false, true),
        added(2, "goat", true, false),
        added(3, "[E1]x", false, false),
    ]);
    let tokenizer = by_json(&json).unwrap();
    assert_eq!(
        shown(&tokenizer, "the [E1] in nEw YÖrk"),
        [("the", "the"), ("[E1]", "[E1]"), ("in", "in"), ("New York", "nEw YÖrk")]
            .map(|(a, b)| (a.to_owned(), b))
    );
    assert_eq!(spelled(&tokenizer, "[E1]xa"), ["[E1]x", "a"]);
    assert_eq!(spelled(&tokenizer, "[e1]").len(), 4);
    assert_eq!(spelled(&tokenizer, "goat, goats").first().map(String::as_str), Some("goat"));
    assert_eq!(spelled(&tokenizer, "goats"), ["goats"]);
    assert_eq!(tokenizer.vocabulary_size(), next + 4);
    assert_eq!(tokenizer.id("[E1]"), Some(next as u32));
}

#[test]
fn special_tokens_can_have_other_names() {
    let vocab = VOCAB.replace("[CLS]\n", "<s>\n").replace("[SEP]\n", "</s>\n");
    let config = r#"{"cls_token": "<s>", "sep_token": {"content": "</s>", "__type": "AddedToken"}}"#;
    let files = TokenizerFiles { vocab: Some(&vocab), tokenizer_config: Some(config), ..Default::default() };
    let tokenizer = Tokenizer::from_files(files).unwrap();
    assert_eq!(tokenizer.token(tokenizer.special().class).as_deref(), Some("<s>"));
    assert_eq!(tokenizer.token(tokenizer.special().separator).as_deref(), Some("</s>"));

    let mut json = tokenizer_json();
    json["post_processor"] = json!({"type": "BertProcessing", "sep": ["the", 0], "cls": ["a", 0]});
    let tokenizer = by_json(&json).unwrap();
    assert_eq!(tokenizer.token(tokenizer.special().class).as_deref(), Some("a"));
}

#[test]
fn a_windows_line_ending_is_not_part_of_a_token() {
    let vocab = VOCAB.replace('\n', "\r\n");
    let tokenizer =
        Tokenizer::from_files(TokenizerFiles { vocab: Some(&vocab), ..Default::default() }).unwrap();
    assert_eq!(tokenizer.vocabulary_size(), VOCAB.lines().count());
    assert_eq!(tokenizer.encode("the lamp").unwrap(), uncased().encode("the lamp").unwrap());
}

#[test]
fn files_of_other_kinds_are_recognized() {
    type Change = fn(&mut Value);
    let cases: &[(Change, Code, &str)] = &[
        (|json| json["model"] = json!({"type": "BPE", "vocab": {}, "merges": []}), Code::Unsupported, "BPE"),
        (|json| json["model"] = json!({"vocab": {}, "merges": []}), Code::Unsupported, "BPE"),
        (
            |json| json["model"] = json!({"type": "Unigram", "vocab": [["a", 0.0]]}),
            Code::Unsupported,
            "Unigram",
        ),
        (|json| json["model"] = Value::Null, Code::NotAModel, "model"),
        (|json| json["model"]["vocab"] = json!(["a"]), Code::Corrupt, "tokenizer.json"),
        (|json| json["model"]["vocab"]["the"] = json!(-1), Code::Corrupt, "tokenizer.json"),
        (|json| json["model"]["unk_token"] = json!("<unk>"), Code::Corrupt, "<unk>"),
        (|json| json["model"]["vocab"] = json!({}), Code::Corrupt, "empty"),
        (
            |json| json["model"]["max_input_chars_per_word"] = json!(0),
            Code::Corrupt,
            "max_input_chars_per_word",
        ),
        (|json| json["normalizer"] = json!({"type": "NFKC"}), Code::Unsupported, "NFKC"),
        (|json| json["normalizer"] = Value::Null, Code::Unsupported, "normalizer"),
        (|json| json["pre_tokenizer"] = json!({"type": "ByteLevel"}), Code::Unsupported, "ByteLevel"),
        (
            |json| json["post_processor"] = json!({"type": "RobertaProcessing"}),
            Code::Unsupported,
            "RobertaProcessing",
        ),
        (|json| json["added_tokens"] = json!([{"id": 9, "content": "the"}]), Code::Corrupt, "\"the\""),
        (
            |json| json["model"]["vocab"]["the"] = json["model"]["vocab"]["[UNK]"].clone(),
            Code::Corrupt,
            "the same id",
        ),
    ];
    for (change, code, named) in cases {
        let mut json = tokenizer_json();
        change(&mut json);
        let error = by_json(&json).unwrap_err();
        assert_eq!(error.code(), *code, "{error}");
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[test]
fn tokenizer_config_determines_lowercasing_as_in_transformers() {
    let json = tokenizer_json().to_string();
    let pieces = |config: &str| {
        let files = TokenizerFiles {
            tokenizer_json: Some(&json),
            tokenizer_config: Some(config),
            ..TokenizerFiles::default()
        };
        let tokenizer = Tokenizer::from_files(files)?;
        Ok::<_, Error>(tokenizer.encode("The").unwrap()[0].id == tokenizer.id("the").unwrap())
    };
    assert!(pieces("{}").unwrap());
    assert!(pieces(r#"{"do_lower_case": true}"#).unwrap());
    assert!(pieces(r#"{"do_lower_case": null}"#).unwrap());
    assert!(!pieces(r#"{"do_lower_case": false}"#).unwrap());
    assert!(!pieces(r#"{"do_lower_case": false, "tokenizer_class": "BertTokenizerFast"}"#).unwrap());
    assert!(pieces(r#"{"do_lower_case": false, "tokenizer_class": "PreTrainedTokenizerFast"}"#).unwrap());
    for (config, named) in [
        (r#"{"do_lower_case": "false"}"#, "do_lower_case"),
        (r#"{"cls_token": 3}"#, "cls_token"),
        ("[]", "tokenizer_config.json"),
    ] {
        let error = pieces(config).unwrap_err();
        assert_eq!(error.code(), Code::Corrupt, "{error}");
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[test]
fn broken_and_missing_files_are_named() {
    let load = |json: Option<&str>, config: Option<&str>, vocab: Option<&str>| {
        let error =
            Tokenizer::from_files(TokenizerFiles { tokenizer_json: json, tokenizer_config: config, vocab });
        let error = error.unwrap_err();
        (error.code(), error.to_string())
    };
    assert_eq!(load(None, None, None).0, Code::NotFound);
    for (found, file) in [
        (load(Some("<!doctype html><p>404"), None, None), "tokenizer.json"),
        (load(Some(""), None, None), "tokenizer.json"),
        (load(Some("{\"model\":"), None, None), "tokenizer.json"),
        (load(None, Some("<html>"), Some(VOCAB)), "tokenizer_config.json"),
        (load(None, None, Some("<!DOCTYPE html>\n<p>404")), "vocab.txt"),
    ] {
        assert_eq!(found.0, Code::NotAModel, "{found:?}");
        assert!(found.1.contains(file), "{found:?}");
    }
    assert_eq!(load(None, None, Some("")).0, Code::Corrupt);
    let class = load(None, Some(r#"{"tokenizer_class": "BertJapaneseTokenizer"}"#), Some(VOCAB));
    assert_eq!(class.0, Code::Unsupported);
    assert!(class.1.contains("BertJapaneseTokenizer"), "{class:?}");
}

/// `dbmdz/bert-base-italian` has 32,102 rows for 31,102 tokens.
#[test]
fn only_a_missing_embedding_of_a_token_in_every_input_is_an_error_at_once() {
    let tokenizer = uncased();
    let special = tokenizer.special();
    let enough = special.class.max(special.separator) as usize + 1;
    for fits in [enough, tokenizer.vocabulary_size(), tokenizer.vocabulary_size() + 1001, 30_522] {
        tokenizer.check_vocabulary(fits).unwrap();
    }
    let error = tokenizer.check_vocabulary(enough - 1).unwrap_err();
    assert_eq!(error.culprit(), Some(("field", "vocab_size")));
    let message = error.to_string();
    assert!(message.contains(&format!("is {}", enough - 1)) && message.contains("has id"), "{message}");
}

#[test]
fn an_empty_last_line_of_a_vocabulary_is_a_token_that_never_occurs() {
    let vocab = format!("{}\n\n", VOCAB.trim_end());
    let tokenizer =
        Tokenizer::from_files(TokenizerFiles { vocab: Some(&vocab), ..Default::default() }).unwrap();
    let rows = uncased().vocabulary_size();
    assert_eq!(tokenizer.vocabulary_size(), rows + 1);
    tokenizer.check_vocabulary(rows).unwrap();
    let text = "the tower \n\n [UNK] 東京 zzz";
    assert_eq!(tokenizer.encode(text).unwrap(), uncased().encode(text).unwrap());
}

#[test]
fn decoding_joins_pieces_and_drops_control_tokens() {
    let tokenizer = uncased();
    let ids: Vec<u32> = ["[CLS]", "the", "to", "##w", "##n", ",", "[MASK]", "?", "[SEP]"]
        .map(|t| tokenizer.id(t).unwrap())
        .into();
    assert_eq!(tokenizer.decode(&ids), "the town, [MASK]?");
}
