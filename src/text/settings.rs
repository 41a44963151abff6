//! The checked settings of a tokenizer's files.

use ahash::AHashMap;
use serde::Deserialize;
use serde_json::Value;

use super::form::{TOKENIZER_CONFIG, TOKENIZER_JSON, VOCAB, kind_of, unsupported};
use crate::error::{Error, Result};

/// Token → id.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Vocabulary(pub(super) AHashMap<String, u32>);

impl Vocabulary {
    /// Parses one token per line; a duplicate token gets the id of its last line, as in BERT's `load_vocab`.
    pub(super) fn from_lines(text: &str) -> Result<Self> {
        let text = text.trim_start_matches('\u{feff}');
        if text.trim_start().starts_with("<!") || text.trim_start().starts_with("<html") {
            let problem = "an HTML page, not a list of tokens".into();
            return Err(Error::NotAModel { file: VOCAB.into(), problem });
        }
        let text = text.strip_suffix('\n').unwrap_or(text);
        let tokens = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        let numbered = tokens.zip(0u32..).map(|(token, id)| (token.to_owned(), id));
        Ok(Self(numbered.collect()))
    }
}

/// A token added to the vocabulary by a model's author.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct AddedToken {
    #[serde(default)]
    pub(super) id: u32,
    pub(super) content: String,
    #[serde(default)]
    pub(super) single_word: bool,
    #[serde(default)]
    pub(super) normalized: bool,
}

/// Spelling of the special tokens.
#[derive(Clone, Debug)]
pub(super) struct SpecialTokens {
    pub(super) unknown: String,
    pub(super) class: String,
    pub(super) separator: String,
    pub(super) padding: String,
    pub(super) mask: String,
}

impl Default for SpecialTokens {
    fn default() -> Self {
        Self {
            unknown: "[UNK]".into(),
            class: "[CLS]".into(),
            separator: "[SEP]".into(),
            padding: "[PAD]".into(),
            mask: "[MASK]".into(),
        }
    }
}

impl SpecialTokens {
    /// Reads `tokenizer_config.json`, where a token is a string or `{"content": …}`.
    pub(super) fn read_config(&mut self, config: &Value) -> Result<()> {
        let fields = [
            ("unk_token", &mut self.unknown),
            ("cls_token", &mut self.class),
            ("sep_token", &mut self.separator),
            ("pad_token", &mut self.padding),
            ("mask_token", &mut self.mask),
        ];
        for (field, name) in fields {
            let value = config.get(field);
            match value.and_then(|v| v.get("content")).or(value) {
                None | Some(Value::Null) => {}
                Some(Value::String(spelling)) => name.clone_from(spelling),
                Some(other) => {
                    let problem = format!("`{field}` is {other}, must be a string");
                    return Err(Error::corrupt(TOKENIZER_CONFIG, problem));
                }
            }
        }
        Ok(())
    }

    /// Reads `[CLS]` and `[SEP]` from the post-processor, which adds them to a text.
    pub(super) fn read_post_processor(&mut self, part: Option<&Value>) -> Result<()> {
        let token = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let (class, separator) = match (kind_of(part), part) {
            (None, _) | (_, None) => (None, None),
            (Some("BertProcessing"), Some(part)) => (token(part["cls"].get(0)), token(part["sep"].get(0))),
            (Some("TemplateProcessing"), Some(part)) => {
                let template = part["single"].as_array().map_or(&[][..], Vec::as_slice);
                let special = |piece: Option<&Value>| token(piece.and_then(|p| p["SpecialToken"].get("id")));
                (special(template.first()), special(template.last()))
            }
            (other, _) => return Err(unsupported("post-processor", other, "TemplateProcessing")),
        };
        if let Some(class) = class {
            self.class = class;
        }
        if let Some(separator) = separator {
            self.separator = separator;
        }
        Ok(())
    }
}

/// Everything that [`super::Tokenizer`] is built from.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) vocabulary: Vocabulary,
    pub(super) names: SpecialTokens,
    pub(super) added: Vec<AddedToken>,
    /// Prefix of pieces that continue a word.
    pub(super) prefix: String,
    /// Maximum characters per word; a longer word is unknown.
    pub(super) max_word_chars: usize,
    pub(super) clean_text: bool,
    pub(super) space_chinese: bool,
    /// If none, as `lowercase`.
    pub(super) strip_accents: Option<bool>,
    pub(super) lowercase: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            vocabulary: Vocabulary::default(),
            names: SpecialTokens::default(),
            added: Vec::new(),
            prefix: "##".into(),
            max_word_chars: 100,
            clean_text: true,
            space_chinese: true,
            strip_accents: None,
            lowercase: true,
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
    /// Reads the `normalizer` of `tokenizer.json`: BERT's, alone or as the only element of a sequence.
    pub(super) fn read_normalizer(&mut self, part: Option<&Value>) -> Result<()> {
        let only = part.and_then(|part| part["normalizers"].as_array()).filter(|parts| parts.len() == 1);
        let part = only.map_or(part, |parts| parts.first());
        let Some(part) = part.filter(|_| kind_of(part) == Some("BertNormalizer")) else {
            return Err(unsupported("normalizer", kind_of(part), "BertNormalizer"));
        };
        let flag = |name: &str| flag(TOKENIZER_JSON, part, name);
        self.clean_text = flag("clean_text")?.unwrap_or(true);
        self.space_chinese = flag("handle_chinese_chars")?.unwrap_or(true);
        self.strip_accents = flag("strip_accents")?;
        self.lowercase = flag("lowercase")?.unwrap_or(true);
        Ok(())
    }

    /// Reads the normalization settings of `tokenizer_config.json`.
    pub(super) fn read_normalization(&mut self, config: &Value) -> Result<()> {
        let flag = |name: &str| flag(TOKENIZER_CONFIG, config, name);
        self.lowercase = flag("do_lower_case")?.unwrap_or(self.lowercase);
        self.strip_accents = flag("strip_accents")?.or(self.strip_accents);
        self.space_chinese = flag("tokenize_chinese_chars")?.unwrap_or(self.space_chinese);
        Ok(())
    }

    /// Reads the tokens that `tokenizer_config.json` adds to a `vocab.txt`.
    pub(super) fn read_added(&mut self, config: &Value) {
        let Some(added) = config.get("added_tokens_decoder").and_then(Value::as_object) else { return };
        for (id, token) in added {
            if let (Ok(id), Ok(token)) = (id.parse(), serde_json::from_value::<AddedToken>(token.clone())) {
                self.added.push(AddedToken { id, ..token });
            }
        }
    }

    /// Id of a token of the vocabulary or an added token.
    pub(super) fn id(&self, token: &str) -> Option<u32> {
        let added = || self.added.iter().find(|added| added.content == token).map(|added| added.id);
        self.vocabulary.0.get(token).copied().or_else(added)
    }

    /// Detects mistakes that would otherwise only show as wrong answers.
    pub(super) fn check(&self, file: &str) -> Result<()> {
        if self.vocabulary.0.is_empty() {
            return Err(Error::corrupt(file, "the vocabulary is empty"));
        }
        if !self.vocabulary.0.contains_key(&self.names.unknown) {
            let problem = format!("the vocabulary has no unknown token {:?}", self.names.unknown);
            return Err(Error::corrupt(file, problem));
        }
        for (role, token) in [("class", &self.names.class), ("separator", &self.names.separator)] {
            if self.id(token).is_none() {
                let problem = format!("the vocabulary has no {role} token {token:?}");
                return Err(Error::corrupt(file, problem));
            }
        }
        let mut owners = AHashMap::with_capacity(self.vocabulary.0.len());
        for (token, id) in &self.vocabulary.0 {
            if let Some(other) = owners.insert(id, token) {
                let problem = format!("tokens {other:?} and {token:?} have the same id {id}");
                return Err(Error::corrupt(file, problem));
            }
        }
        if self.max_word_chars == 0 {
            return Err(Error::corrupt(file, "`max_input_chars_per_word` is 0"));
        }
        for added in &self.added {
            match self.vocabulary.0.get(&added.content) {
                Some(&id) if id != added.id => {
                    let problem = format!(
                        "added token {:?} has id {}, the vocabulary says {id}",
                        added.content, added.id
                    );
                    return Err(Error::corrupt(file, problem));
                }
                _ => {}
            }
        }
        Ok(())
    }
}
