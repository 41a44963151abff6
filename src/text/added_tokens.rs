//! Tokens that a model's author added to the vocabulary, from all files that list some.

use ahash::AHashMap;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::form::{ADDED_TOKENS, TOKENIZER_CONFIG, token_text};
use super::vocabulary::Vocabulary;
use crate::error::{Error, Result};
use crate::sorting::sort_by_key;

/// A token that is found in a text before WordPiece runs.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct AddedToken {
    #[serde(default)]
    pub(super) id: u32,
    pub(super) content: String,
    /// Found only if no letter or digit precedes or follows.
    #[serde(default)]
    pub(super) single_word: bool,
    /// A match includes the white space before it.
    #[serde(default)]
    pub(super) lstrip: bool,
    /// A match includes the white space after it.
    #[serde(default)]
    pub(super) rstrip: bool,
    /// Found in the normalized text; the default for tokens that aren't special.
    normalized: Option<bool>,
    #[serde(default)]
    pub(super) special: bool,
    /// The file that lists it.
    #[serde(skip)]
    pub(super) file: &'static str,
}

impl AddedToken {
    pub(super) fn new(file: &'static str, content: &str, special: bool) -> Self {
        Self {
            id: 0,
            content: content.to_owned(),
            single_word: false,
            lstrip: false,
            rstrip: false,
            normalized: None,
            special,
            file,
        }
    }

    /// A token as written in the files: its spelling, or an object.
    pub(super) fn read(file: &'static str, value: &Value, special: bool) -> Option<Self> {
        match value {
            Value::String(content) => Some(Self::new(file, content, special)),
            Value::Object(_) => {
                let token: Self = serde_json::from_value(value.clone()).ok()?;
                // Made explicit, so that `special` doesn't change it later.
                let normalized = Some(token.normalized.unwrap_or(!(special || token.special)));
                Some(Self { special: special || token.special, normalized, file, ..token })
            }
            _ => None,
        }
    }

    /// The same token with another `special`, still found in the same form of the text.
    pub(super) fn with_special(self, special: bool) -> Self {
        Self { normalized: Some(self.normalized()), special, ..self }
    }

    /// Returns whether a file describes it with an object rather than by its spelling alone.
    pub(super) fn is_object(&self) -> bool {
        self.normalized.is_some()
    }

    /// The same token, listed by `file`.
    pub(super) fn listed_in(self, file: &'static str) -> Self {
        Self { file, ..self }
    }

    pub(super) fn normalized(&self) -> bool {
        self.normalized.unwrap_or(!self.special)
    }
}

/// All added tokens. Those that aren't in the vocabulary are numbered after it in the order in which they are
/// added, whatever the files say, as in the fast tokenizers of `transformers`.
#[derive(Debug)]
pub(super) struct AddedTokens<'a> {
    vocabulary: &'a Vocabulary,
    next: u32,
    tokens: Vec<AddedToken>,
    /// Indices into `tokens` by spelling.
    places: AHashMap<String, usize>,
}

impl<'a> AddedTokens<'a> {
    pub(super) fn new(vocabulary: &'a Vocabulary) -> Self {
        Self { vocabulary, next: vocabulary.0.len() as u32, tokens: Vec::new(), places: AHashMap::new() }
    }

    pub(super) fn contains(&self, content: &str) -> bool {
        self.places.contains_key(content)
    }

    /// Adds a token, or replaces the one with this spelling.
    pub(super) fn add(&mut self, mut token: AddedToken) {
        if token.content.is_empty() {
            return;
        }
        let place = self.places.get(&token.content).copied();
        if let Some(existing) = place.and_then(|place| self.tokens.get_mut(place)) {
            token.id = existing.id;
            *existing = token;
            return;
        }
        token.id = self.vocabulary.0.get(&token.content).copied().unwrap_or(self.next);
        self.next = self.next.max(token.id.saturating_add(1));
        self.places.insert(token.content.clone(), self.tokens.len());
        self.tokens.push(token);
    }

    pub(super) fn into_tokens(self) -> Vec<AddedToken> {
        self.tokens
    }
}

/// `added_tokens_decoder` of `tokenizer_config.json`, by id; `None` if the file doesn't have it.
pub(super) fn read_decoder(config: &Value) -> Result<Option<Vec<AddedToken>>> {
    let Some(decoder) = config.get("added_tokens_decoder") else { return Ok(None) };
    let broken = |entry: &str| {
        let problem = format!(
            "`added_tokens_decoder`: {entry} must be an id with an object that has a string `content`"
        );
        Error::corrupt(TOKENIZER_CONFIG, problem)
    };
    let entries = decoder.as_object().ok_or_else(|| broken("it"))?;
    let token = |(id, value): (&String, &Value)| {
        let token = value.is_object().then(|| AddedToken::read(TOKENIZER_CONFIG, value, false)).flatten();
        match (id.parse(), token) {
            (Ok(id), Some(token)) => Ok(AddedToken { id, ..token }),
            _ => Err(broken(&format!("entry {id:?}"))),
        }
    };
    let mut tokens = entries.iter().map(token).collect::<Result<Vec<_>>>()?;
    sort_by_key(&mut tokens, |token| token.id);
    Ok(Some(tokens))
}

/// `added_tokens.json`, token → id, by id. Tokens for which `is_special` returns true are found as written,
/// others in the normalized text.
pub(super) fn read_added_tokens(
    entries: &Map<String, Value>,
    is_special: impl Fn(&str) -> bool,
) -> Result<Vec<AddedToken>> {
    let token = |(content, id): (&String, &Value)| {
        let id = id.as_u64().and_then(|id| u32::try_from(id).ok()).ok_or_else(|| {
            Error::corrupt(
                ADDED_TOKENS,
                format!("the id of {} is {id}, must be an integer", token_text(content)),
            )
        })?;
        let special = is_special(content);
        Ok(AddedToken { id, normalized: Some(!special), ..AddedToken::new(ADDED_TOKENS, content, special) })
    };
    let mut tokens = entries.iter().map(token).collect::<Result<Vec<_>>>()?;
    sort_by_key(&mut tokens, |token| token.id);
    Ok(tokens)
}
