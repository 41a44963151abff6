//! Parses the files of a tokenizer. The caller reads them from a disk or the network.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::form::{TOKENIZER_CONFIG, TOKENIZER_JSON, VOCAB, kind_of, unsupported};
use super::settings::{AddedToken, Settings, SpecialTokens, Vocabulary};
use crate::error::{Error, Result};

/// Contents of the files of a tokenizer. `tokenizer_json` or `vocab` is required; with both, the vocabulary comes from
/// `tokenizer.json`.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokenizerFiles<'a> {
    /// `tokenizer.json` of the `tokenizers` library. Its truncation and padding are ignored.
    pub tokenizer_json: Option<&'a str>,
    /// `tokenizer_config.json` of `transformers`: the special tokens, and whether to lowercase.
    pub tokenizer_config: Option<&'a str>,
    /// `vocab.txt`: one token per line; its line number, from 0, is its id.
    pub vocab: Option<&'a str>,
    /// `special_tokens_map.json`: the special tokens, in directories written before 2023.
    pub special_tokens_map: Option<&'a str>,
    /// `added_tokens.json`: ids of tokens that the vocabulary doesn't have, in directories written before 2023.
    pub added_tokens: Option<&'a str>,
}

const GENERIC: [&str; 2] = ["PreTrainedTokenizer", "TokenizersBackend"];

/// The fields that identify the kind of model, parsed before anything that depends on it.
#[derive(Deserialize)]
struct Kind {
    model: Option<ModelKind>,
}

#[derive(Deserialize)]
struct ModelKind {
    #[serde(rename = "type")]
    name: Option<String>,
    merges: Option<IgnoredAny>,
    max_input_chars_per_word: Option<IgnoredAny>,
    continuing_subword_prefix: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct TokenizerJson {
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
    normalizer: Option<Value>,
    pre_tokenizer: Option<Value>,
    post_processor: Option<Value>,
    model: Model,
}

#[derive(Deserialize)]
struct Model {
    unk_token: Option<String>,
    continuing_subword_prefix: Option<String>,
    max_input_chars_per_word: Option<usize>,
    vocab: Vocabulary,
}

impl TokenizerFiles<'_> {
    pub(super) fn settings(&self) -> Result<Settings> {
        let mut names = SpecialTokens::default();
        let config = match self.tokenizer_config {
            Some(text) => Value::Object(parse(TOKENIZER_CONFIG, text)?),
            None => Value::Null,
        };
        let mut settings = match (self.tokenizer_json, self.vocab) {
            (Some(json), _) => from_tokenizer_json(json, &mut names)?,
            (None, Some(vocab)) => from_vocab(vocab, &config)?,
            (None, None) => {
                return Err(Error::NotFound {
                    file: TOKENIZER_JSON.into(),
                    hint: "a model directory needs tokenizer.json or vocab.txt".into(),
                });
            }
        };
        // As in `transformers`: BERT's own classes configure the normalizer, the generic ones keep that of `tokenizer.json`.
        if self.tokenizer_json.is_none() || !is_generic(&config) {
            settings.read_normalization(&config)?;
        }
        names.read_config(&config)?;
        settings.names = names;
        settings.check(if self.tokenizer_json.is_some() { TOKENIZER_JSON } else { VOCAB })?;
        Ok(settings)
    }
}

fn parse<'a, T: Deserialize<'a>>(file: &str, text: &'a str) -> Result<T> {
    let text = text.trim_start_matches('\u{feff}');
    serde_json::from_str(text).map_err(|error| {
        if error.is_data() {
            return Error::corrupt(file, error.to_string());
        }
        let what = if text.trim_start().starts_with('<') { "an HTML page, not JSON" } else { "not JSON" };
        Error::NotAModel { file: file.into(), problem: format!("{what}: {error}") }
    })
}

fn from_tokenizer_json(text: &str, names: &mut SpecialTokens) -> Result<Settings> {
    check_kind(&parse::<Kind>(TOKENIZER_JSON, text)?)?;
    let json: TokenizerJson = parse(TOKENIZER_JSON, text)?;
    let mut settings = Settings {
        vocabulary: json.model.vocab,
        prefix: json.model.continuing_subword_prefix.unwrap_or_else(|| "##".into()),
        max_word_chars: json.model.max_input_chars_per_word.unwrap_or(100),
        added: json.added_tokens,
        ..Settings::default()
    };
    if let Some(unknown) = json.model.unk_token {
        names.unknown = unknown;
    }
    settings.read_normalizer(json.normalizer.as_ref())?;
    match kind_of(json.pre_tokenizer.as_ref()) {
        Some("BertPreTokenizer") => {}
        other => return Err(unsupported("pre-tokenizer", other, "BertPreTokenizer")),
    }
    names.read_post_processor(json.post_processor.as_ref())?;
    Ok(settings)
}

/// Accepts only WordPiece. Files written before 2020 don't name their model.
fn check_kind(kind: &Kind) -> Result<()> {
    let Some(model) = &kind.model else {
        let problem = "has no `model`".into();
        return Err(Error::NotAModel { file: TOKENIZER_JSON.into(), problem });
    };
    let found = match model.name.as_deref() {
        Some(name) => name,
        None if model.merges.is_some() => "BPE",
        None if model.max_input_chars_per_word.is_some() || model.continuing_subword_prefix.is_some() => {
            "WordPiece"
        }
        None => "unnamed",
    };
    if found == "WordPiece" { Ok(()) } else { Err(unsupported("model", Some(found), "WordPiece")) }
}

/// Whether the tokenizer's class is a generic one, which reads only `tokenizer.json`.
fn is_generic(config: &Value) -> bool {
    let class = config.get("tokenizer_class").and_then(Value::as_str).unwrap_or_default();
    GENERIC.contains(&class.trim_end_matches("Fast"))
}

fn from_vocab(text: &str, config: &Value) -> Result<Settings> {
    if let Some(class) = config.get("tokenizer_class").and_then(Value::as_str) {
        let known = ["BertTokenizer", "MobileBertTokenizer", "DistilBertTokenizer", "ElectraTokenizer"];
        let family = class.trim_end_matches("Fast");
        if !known.contains(&family) && !GENERIC.contains(&family) {
            let instead =
                "with vocab.txt alone, `tokenizer_class` must be BertTokenizer; provide tokenizer.json";
            return Err(Error::unsupported(format!("{TOKENIZER_CONFIG}: tokenizer {class}"), instead));
        }
    }
    let mut settings = Settings { vocabulary: Vocabulary::from_lines(text)?, ..Settings::default() };
    settings.read_added(config);
    Ok(settings)
}
