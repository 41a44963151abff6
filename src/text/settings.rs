//! A tokenizer's settings from its files, checked.

use ahash::AHashMap;
use serde_json::Value;

use super::added_tokens::AddedToken;
use super::form::{TOKENIZER_CONFIG, TOKENIZER_JSON, kind_of, only_element, token_text, unsupported};
use super::special_tokens::SpecialTokens;
use super::template::Template;
use super::vocabulary::Vocabulary;
use super::words::WordSplit;
use crate::error::{Error, Result};

/// Limit of the longest word that a tokenizer may split; BERT's is 100.
const MAX_WORD_CHARS: usize = 1000;

/// Everything that [`super::Tokenizer`] is built from.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) vocabulary: Vocabulary,
    /// Spelling of the token for words that WordPiece can't split.
    pub(super) unknown: String,
    pub(super) names: SpecialTokens,
    pub(super) added: Vec<AddedToken>,
    /// From `tokenizer.json`; BERT's if `None`.
    pub(super) template: Option<Template>,
    pub(super) words: WordSplit,
    /// True if the model gets type ids.
    pub(super) has_types: bool,
    /// Prefix of pieces that continue a word.
    pub(super) prefix: String,
    /// Maximum characters per word; a longer word is unknown.
    pub(super) max_word_chars: usize,
    pub(super) clean_text: bool,
    pub(super) space_chinese: bool,
    /// If `None`, same as `lowercase`.
    pub(super) strip_accents: Option<bool>,
    pub(super) lowercase: bool,
    /// Whether special tokens in a text are plain text; `None` if the file doesn't say.
    pub(super) split_special_tokens: Option<bool>,
    /// `model_max_length`.
    pub(super) max_length: Option<usize>,
    /// True if truncation removes the start of a text.
    pub(super) truncate_left: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            vocabulary: Vocabulary::default(),
            unknown: String::new(),
            names: SpecialTokens::default(),
            added: Vec::new(),
            template: None,
            words: WordSplit::Bert,
            has_types: true,
            prefix: "##".into(),
            max_word_chars: 100,
            clean_text: true,
            space_chinese: true,
            strip_accents: None,
            lowercase: true,
            split_special_tokens: None,
            max_length: None,
            truncate_left: false,
        }
    }
}

/// A boolean that may be absent or null.
fn flag(file: &str, fields: &Value, name: &str) -> Result<Option<bool>> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(other) => Err(Error::corrupt(file, format!("`{name}` is {other}, must be true or false"))),
    }
}

impl Settings {
    /// Reads the `normalizer` of `tokenizer.json`: BERT's, alone or as the only element of a sequence, or none.
    pub(super) fn read_normalizer(&mut self, part: Option<&Value>) -> Result<()> {
        let part = only_element(part, "normalizers").filter(|part| !part.is_null());
        let Some(part) = part else {
            (self.clean_text, self.space_chinese) = (false, false);
            (self.strip_accents, self.lowercase) = (Some(false), false);
            return Ok(());
        };
        if kind_of(Some(part)) != Some("BertNormalizer") {
            let wanted = "BertNormalizer, a Sequence of one, or null";
            return Err(unsupported("normalizer", kind_of(Some(part)), wanted));
        }
        let flag = |name: &str| flag(TOKENIZER_JSON, part, name);
        self.clean_text = flag("clean_text")?.unwrap_or(true);
        self.space_chinese = flag("handle_chinese_chars")?.unwrap_or(true);
        self.strip_accents = flag("strip_accents")?;
        self.lowercase = flag("lowercase")?.unwrap_or(true);
        Ok(())
    }

    /// Reads the normalization in `tokenizer_config.json`. The tokenizer classes of the BERT family have
    /// their own defaults, whatever `tokenizer.json` says.
    pub(super) fn read_normalization(&mut self, config: &Value) -> Result<()> {
        let flag = |name: &str| flag(TOKENIZER_CONFIG, config, name);
        self.lowercase = flag("do_lower_case")?.unwrap_or(true);
        self.strip_accents = flag("strip_accents")?;
        self.space_chinese = flag("tokenize_chinese_chars")?.unwrap_or(true);
        Ok(())
    }

    /// Reads the settings of `tokenizer_config.json` that don't depend on the class.
    pub(super) fn read_config(&mut self, config: &Value) -> Result<()> {
        self.split_special_tokens = flag(TOKENIZER_CONFIG, config, "split_special_tokens")?;
        let length = config.get("model_max_length").or_else(|| config.get("max_len"));
        self.max_length = match length {
            None | Some(Value::Null) => None,
            // Without a limit, `transformers` writes 1e30.
            Some(length) => Some(length.as_f64().filter(|length| *length >= 1.0).ok_or_else(|| {
                let problem = format!("`model_max_length` is {length}, must be a positive number of tokens");
                Error::corrupt(TOKENIZER_CONFIG, problem)
            })? as usize),
        };
        self.truncate_left = match config.get("truncation_side") {
            None | Some(Value::Null) => false,
            Some(Value::String(side)) if side == "right" || side == "left" => side == "left",
            Some(other) => {
                let problem = format!("`truncation_side` is {other}, must be \"right\" or \"left\"");
                return Err(Error::corrupt(TOKENIZER_CONFIG, problem));
            }
        };
        Ok(())
    }

    /// Id of a token of the vocabulary or an added token.
    pub(super) fn id(&self, token: &str) -> Option<u32> {
        let added = || self.added.iter().find(|added| added.content == token).map(|added| added.id);
        self.vocabulary.0.get(token).copied().or_else(added)
    }

    /// Checks that the ids of added tokens agree with the vocabulary.
    pub(super) fn check_added(&self) -> Result<()> {
        for added in &self.added {
            if let Some(&id) = self.vocabulary.0.get(&added.content).filter(|id| **id != added.id) {
                let token = token_text(&added.content);
                let problem = format!("added token {token} has id {}, but {id} in the vocabulary", added.id);
                return Err(Error::corrupt(TOKENIZER_JSON, problem));
            }
        }
        Ok(())
    }

    /// Checks for mistakes that would otherwise show only as wrong answers.
    pub(super) fn check(&self, file: &str) -> Result<()> {
        if self.vocabulary.0.is_empty() {
            return Err(Error::corrupt(file, "the vocabulary is empty"));
        }
        if !self.vocabulary.0.contains_key(&self.unknown) {
            let problem = format!("the vocabulary has no unknown token {:?}", self.unknown);
            return Err(Error::corrupt(file, problem));
        }
        let mut owners = AHashMap::with_capacity(self.vocabulary.0.len());
        for (token, id) in &self.vocabulary.0 {
            if let Some(other) = owners.insert(id, token) {
                let problem = format!("tokens {other:?} and {token:?} have the same id {id}");
                return Err(Error::corrupt(file, problem));
            }
        }
        // A longer word is unknown as a whole: splitting takes time quadratic in its length.
        if !(1..=MAX_WORD_CHARS).contains(&self.max_word_chars) {
            let problem = format!(
                "`max_input_chars_per_word` is {}, must be from 1 to {MAX_WORD_CHARS}",
                self.max_word_chars
            );
            return Err(Error::corrupt(file, problem));
        }
        Ok(())
    }
}
