//! Parses a tokenizer's files, which the caller reads from a disk or the network.

use ahash::AHashSet;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::added_tokens::{AddedToken, AddedTokens, read_added_tokens, read_decoder};
use super::form::{ADDED_TOKENS, SPECIAL_TOKENS_MAP, TOKENIZER_CONFIG, TOKENIZER_JSON, VOCAB, unsupported};
use super::settings::Settings;
use super::special_tokens::Role;
use super::template::Template;
use super::vocabulary::Vocabulary;
use super::words::WordSplit;
use crate::error::{Error, Result};
use crate::json;
use crate::sorting::sort_by_key;

/// Contents of a tokenizer's files. `tokenizer_json` or `vocab` is required; with both, the vocabulary comes
/// from `tokenizer.json`.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokenizerFiles<'a> {
    /// `tokenizer.json` of the `tokenizers` library. Its truncation and padding are ignored.
    pub tokenizer_json: Option<&'a str>,
    /// `tokenizer_config.json` of `transformers`: the special tokens, and whether to lowercase.
    pub tokenizer_config: Option<&'a str>,
    /// `vocab.txt`: one token per line; the line number, from 0, is the token's id.
    pub vocab: Option<&'a str>,
    /// `special_tokens_map.json`: the special tokens, in directories written before 2023.
    pub special_tokens_map: Option<&'a str>,
    /// `added_tokens.json`: ids of tokens that aren't in the vocabulary, in directories written before 2023.
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
    /// Reads the files with the same precedence as `transformers`' fast tokenizers.
    pub(super) fn settings(&self) -> Result<Settings> {
        let config = object(TOKENIZER_CONFIG, self.tokenizer_config)?;
        let decoder = read_decoder(&config)?;
        let mut settings = match (self.tokenizer_json, self.vocab) {
            (Some(json), _) => from_tokenizer_json(json, &config)?,
            (None, Some(vocab)) => from_vocab(vocab, &config)?,
            (None, None) => {
                return Err(Error::NotFound {
                    file: TOKENIZER_JSON.into(),
                    hint: "a model directory needs tokenizer.json or vocab.txt".into(),
                });
            }
        };
        settings.names.read(TOKENIZER_CONFIG, &config)?;
        if decoder.is_none() {
            let map = object(SPECIAL_TOKENS_MAP, self.special_tokens_map)?;
            settings.names.read(SPECIAL_TOKENS_MAP, &map)?;
        }
        if settings.unknown.is_empty() {
            settings.unknown = settings.names.spelling(Role::Unknown).to_owned();
        }
        settings.read_config(&config)?;
        settings.has_types = has_types(&config);
        settings.added = self.added_tokens(&settings, decoder, &config)?;
        settings.check(self.vocabulary())?;
        Ok(settings)
    }

    /// Name of the file that has the vocabulary.
    pub(super) fn vocabulary(&self) -> &'static str {
        if self.tokenizer_json.is_some() { TOKENIZER_JSON } else { VOCAB }
    }

    /// The added tokens of all files, starting with those of `tokenizer.json`, which `settings` already has.
    fn added_tokens(
        &self,
        settings: &Settings,
        decoder: Option<Vec<AddedToken>>,
        config: &Value,
    ) -> Result<Vec<AddedToken>> {
        let names = &settings.names;
        let listed = match decoder {
            Some(decoder) => decoder,
            None => self.older_added_tokens(settings)?,
        };
        let described: AHashSet<String> = listed.iter().map(|token| token.content.clone()).collect();
        let mut added = AddedTokens::new(&settings.vocabulary);
        settings.added.iter().for_each(|token| added.add(token.clone()));
        let special = names.all(!is_generic(config));
        for token in listed {
            let is_special = token.special || special.iter().any(|named| named.content == token.content);
            added.add(token.with_special(is_special));
        }
        for token in special {
            // An object overrides `tokenizer.json`, and an additional token overrides the other files.
            let overrides = names.is_additional(&token) || !described.contains(&token.content);
            if !added.contains(&token.content) || (token.is_object() && overrides) {
                added.add(token);
            }
        }
        Ok(added.into_tokens())
    }

    /// Without `added_tokens_decoder`: the tokens of `tokenizer.json` and `added_tokens.json` by id, one
    /// token per id.
    fn older_added_tokens(&self, settings: &Settings) -> Result<Vec<AddedToken>> {
        let mut tokens = settings.added.clone();
        if let Some(text) = self.added_tokens {
            let taken: AHashSet<u32> = tokens.iter().map(|token| token.id).collect();
            let listed = read_added_tokens(&parse(ADDED_TOKENS, text)?, |token| settings.names.names(token))?;
            tokens.extend(listed.into_iter().filter(|token| !taken.contains(&token.id)));
        }
        sort_by_key(&mut tokens, |token| token.id);
        Ok(tokens)
    }
}

/// Parses a file that contains an object; null if it doesn't exist.
fn object(file: &str, text: Option<&str>) -> Result<Value> {
    text.map_or(Ok(Value::Null), |text| parse(file, text).map(Value::Object))
}

fn parse<'a, T: Deserialize<'a>>(file: &str, text: &'a str) -> Result<T> {
    serde_json::from_slice(json::content(file, text.as_bytes())?).map_err(|error| {
        if error.is_data() {
            return Error::corrupt(file, error.to_string());
        }
        Error::NotAModel { file: file.into(), problem: format!("it is not JSON: {error}") }
    })
}

fn from_tokenizer_json(text: &str, config: &Value) -> Result<Settings> {
    check_kind(&parse::<Kind>(TOKENIZER_JSON, text)?)?;
    let json: TokenizerJson = parse(TOKENIZER_JSON, text)?;
    let mut settings = Settings {
        vocabulary: json.model.vocab,
        prefix: json.model.continuing_subword_prefix.unwrap_or_else(|| "##".into()),
        max_word_chars: json.model.max_input_chars_per_word.unwrap_or(100),
        added: json.added_tokens.into_iter().map(|token| token.listed_in(TOKENIZER_JSON)).collect(),
        ..Settings::default()
    };
    settings.unknown = json.model.unk_token.unwrap_or_else(|| "[UNK]".into());
    settings.read_normalizer(json.normalizer.as_ref())?;
    // As in `transformers`: BERT's own classes configure a plain normalizer, generic ones keep that of the
    // file.
    let in_sequence = json.normalizer.as_ref().is_some_and(|part| part.get("normalizers").is_some());
    if !is_generic(config) && !in_sequence {
        settings.read_normalization(config)?;
    }
    settings.words = WordSplit::read(json.pre_tokenizer.as_ref())?;
    settings.template = Some(Template::read(json.post_processor.as_ref(), &settings.vocabulary)?);
    settings.check_added()?;
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

/// Returns whether the tokenizer's class is a generic one, which reads only `tokenizer.json`.
fn is_generic(config: &Value) -> bool {
    GENERIC.contains(&class_of(config))
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
    settings.read_normalization(config)?;
    Ok(settings)
}

/// Returns whether the model gets type ids: `model_input_names`, or the default of the class.
fn has_types(config: &Value) -> bool {
    match config.get("model_input_names").and_then(Value::as_array) {
        Some(names) => names.iter().any(|name| name == "token_type_ids"),
        None => class_of(config) != "DistilBertTokenizer",
    }
}

/// The name of the tokenizer's class, the same for its fast and its slow version.
fn class_of(config: &Value) -> &str {
    config.get("tokenizer_class").and_then(Value::as_str).unwrap_or_default().trim_end_matches("Fast")
}
