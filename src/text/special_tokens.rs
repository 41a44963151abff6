//! Tokens with a role, and their spelling in `tokenizer_config.json` and `special_tokens_map.json`.

use serde_json::Value;

use super::added_tokens::AddedToken;
use super::form::TOKENIZER_CONFIG;
use crate::error::{Error, Result};

/// A token's role: its index in [`ROLES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Unknown = 2,
    Separator,
    Padding,
    Class,
    Mask,
}

/// The field and BERT's spelling of each role, in the order in which `transformers` adds tokens that aren't
/// in the vocabulary.
const ROLES: [(&str, Option<&str>); 7] = [
    ("bos_token", None),
    ("eos_token", None),
    ("unk_token", Some("[UNK]")),
    ("sep_token", Some("[SEP]")),
    ("pad_token", Some("[PAD]")),
    ("cls_token", Some("[CLS]")),
    ("mask_token", Some("[MASK]")),
];

/// The special tokens named in the files.
#[derive(Clone, Debug, Default)]
pub(super) struct SpecialTokens {
    /// By [`Role`].
    named: [Option<AddedToken>; ROLES.len()],
    /// `additional_special_tokens`.
    additional: Vec<AddedToken>,
}

impl SpecialTokens {
    /// Reads the fields of `file`, which override those of a file read earlier.
    pub(super) fn read(&mut self, file: &'static str, fields: &Value) -> Result<()> {
        let broken = |field: &str, value: &Value| {
            let problem =
                format!("`{field}` is {value}, must be a string or an object with a string `content`");
            Error::corrupt(file, problem)
        };
        for ((field, _), named) in ROLES.into_iter().zip(&mut self.named) {
            if let Some(value) = fields.get(field).filter(|value| !value.is_null()) {
                *named = Some(AddedToken::read(file, value, true).ok_or_else(|| broken(field, value))?);
            }
        }
        for field in ["additional_special_tokens", "extra_special_tokens"] {
            let values: Vec<&Value> = match fields.get(field) {
                None | Some(Value::Null) => continue,
                Some(Value::Array(values)) => values.iter().collect(),
                Some(Value::Object(values)) => values.values().collect(),
                Some(other) => return Err(broken(field, other)),
            };
            for value in values {
                let token = AddedToken::read(file, value, true).ok_or_else(|| broken(field, value))?;
                if !self.additional.contains(&token) {
                    self.additional.push(token);
                }
            }
        }
        Ok(())
    }

    /// The spelling of a role, if a file names it.
    pub(super) fn stated(&self, role: Role) -> Option<&str> {
        self.named[role as usize].as_ref().map(|token| token.content.as_str())
    }

    /// The spelling of a role, BERT's if no file names it.
    pub(super) fn spelling(&self, role: Role) -> &str {
        self.stated(role).or(ROLES[role as usize].1).unwrap_or_default()
    }

    /// Returns whether this is one of the additional tokens.
    pub(super) fn is_additional(&self, token: &AddedToken) -> bool {
        self.additional.contains(token)
    }

    /// Returns whether a file names this token.
    pub(super) fn names(&self, content: &str) -> bool {
        self.named.iter().flatten().chain(&self.additional).any(|token| token.content == content)
    }

    /// The tokens with a role and the additional ones. With `defaults`, roles that no file names get BERT's
    /// spelling.
    pub(super) fn all(&self, defaults: bool) -> Vec<AddedToken> {
        let default = move |index: usize| ROLES[index].1.filter(|_| defaults);
        let spelled = move |(index, token): (usize, &Option<AddedToken>)| {
            token
                .clone()
                .or_else(|| default(index).map(|content| AddedToken::new(TOKENIZER_CONFIG, content, true)))
        };
        let mut all: Vec<AddedToken> = self.named.iter().enumerate().filter_map(spelled).collect();
        let has_role = |token: &&AddedToken| all.iter().any(|named| named.content == token.content);
        let additional: Vec<_> = self.additional.iter().filter(|token| !has_role(token)).cloned().collect();
        all.extend(additional);
        all
    }
}
