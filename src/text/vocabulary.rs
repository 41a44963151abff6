//! The WordPiece vocabulary.

use ahash::AHashMap;
use serde::Deserialize;

use super::form::VOCAB;
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
