//! Tokenizers with the fixtures' vocabulary.

use mobilebert::error::Error;
use mobilebert::text::{Tokenizer, TokenizerFiles};
use serde_json::{Value, json};

/// The fixtures' vocabulary.
pub const VOCAB: &str = include_str!("../oracles/fixtures/vocab.txt");

pub fn by_vocab(config: Value) -> Tokenizer {
    let config = config.to_string();
    Tokenizer::from_files(TokenizerFiles {
        vocab: Some(VOCAB),
        tokenizer_config: Some(&config),
        ..Default::default()
    })
    .unwrap()
}

pub fn uncased() -> Tokenizer {
    by_vocab(json!({}))
}

/// A `tokenizer.json` with the fixtures' vocabulary.
pub fn with_vocabulary(mut json: Value) -> Value {
    let vocab = VOCAB.lines().enumerate().map(|(id, token)| (token.to_owned(), id.into()));
    json["model"]["vocab"] = Value::Object(vocab.collect());
    json
}

/// A complete `tokenizer.json` without special tokens.
pub fn tokenizer_json() -> Value {
    with_vocabulary(json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": null, "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": null,
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100},
    }))
}

pub fn by_json(json: &Value) -> Result<Tokenizer, Error> {
    let json = json.to_string();
    Tokenizer::from_files(TokenizerFiles { tokenizer_json: Some(&json), ..Default::default() })
}

pub fn shown<'a>(tokenizer: &Tokenizer, text: &'a str) -> Vec<(String, &'a str)> {
    let pieces = tokenizer.encode(text).unwrap();
    pieces.iter().map(|piece| (tokenizer.token(piece.id).unwrap(), &text[piece.range()])).collect()
}

pub fn spelled(tokenizer: &Tokenizer, text: &str) -> Vec<String> {
    shown(tokenizer, text).into_iter().map(|(token, _)| token).collect()
}
