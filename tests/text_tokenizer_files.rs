//! A tokenizer's files.

mod support;

use mobilebert::error::{Code, Error};
use mobilebert::text::{Tokenizer, TokenizerFiles};
use serde_json::{Value, json};
use support::tokenizers::{VOCAB, by_json, by_vocab, shown, spelled, tokenizer_json, uncased};

#[test]
fn tokenizer_json_takes_precedence_over_the_other_files() {
    let mut json = tokenizer_json();
    json["normalizer"]["lowercase"] = false.into();
    let json = json.to_string();
    let files = TokenizerFiles {
        tokenizer_json: Some(&json),
        tokenizer_config: Some(r#"{"do_lower_case": true, "tokenizer_class": "PreTrainedTokenizerFast"}"#),
        vocab: Some("[UNK]\n[CLS]\n[SEP]\nother\n"),
        ..Default::default()
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
        [("the", "the"), ("[E1]", " [E1] "), ("in", "in"), ("New York", " nEw YÖrk")]
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
fn the_file_that_lacks_a_special_token_is_named() {
    let vocab = VOCAB.replace("[CLS]\n", "");
    // BERT's own tokenizer class would add the token.
    let config = r#"{"tokenizer_class": "PreTrainedTokenizerFast"}"#;
    let files = TokenizerFiles { vocab: Some(&vocab), tokenizer_config: Some(config), ..Default::default() };
    let error = Tokenizer::from_files(files).unwrap_err();
    assert_eq!((error.code(), error.culprit()), (Code::Corrupt, Some(("file", "vocab.txt"))), "{error}");
    assert!(error.to_string().contains("[CLS]"), "{error}");
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
        (
            |json| json["model"]["max_input_chars_per_word"] = json!(1u64 << 60),
            Code::Corrupt,
            "from 1 to 1000",
        ),
        (|json| json["normalizer"] = json!({"type": "NFKC"}), Code::Unsupported, "NFKC"),
        (
            |json| {
                json["normalizer"] =
                    json!({"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "NFD"}]})
            },
            Code::Unsupported,
            "normalizer",
        ),
        (|json| json["pre_tokenizer"] = json!({"type": "ByteLevel"}), Code::Unsupported, "ByteLevel"),
        (
            |json| json["post_processor"] = json!({"type": "ByteLevel"}),
            Code::Unsupported,
            "TemplateProcessing, BertProcessing, RobertaProcessing",
        ),
        (|json| json["post_processor"] = json!({"type": "RobertaProcessing"}), Code::Corrupt, "`cls`"),
        (
            |json| {
                json["post_processor"] = json!({"type": "TemplateProcessing",
                "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]})
            },
            Code::Corrupt,
            "<s>",
        ),
        (
            |json| json["post_processor"] = json!({"type": "TemplateProcessing", "single": []}),
            Code::Corrupt,
            "post-processor",
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
        let files =
            TokenizerFiles { tokenizer_json: json, tokenizer_config: config, vocab, ..Default::default() };
        let error = Tokenizer::from_files(files).unwrap_err();
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
