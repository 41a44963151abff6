//! The small files of a model directory, by name, whether they come from a disk or the network.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::text::TokenizerFiles;

/// The contents of the files that a model directory may have next to `config.json` and the weights, by path.
/// A file that doesn't exist is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct SmallFiles(BTreeMap<String, String>);

impl SmallFiles {
    /// All names that are read. The npm package has the same list in `pkg/src/files/model-files.ts`.
    pub const NAMES: [&str; 9] = [
        "tokenizer.json",
        "vocab.txt",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "modules.json",
        "sentence_bert_config.json",
        "1_Pooling/config.json",
        "config_sentence_transformers.json",
    ];

    /// The text of a file, if it exists.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The files of the tokenizer.
    pub fn tokenizer(&self) -> TokenizerFiles<'_> {
        TokenizerFiles {
            tokenizer_json: self.get("tokenizer.json"),
            tokenizer_config: self.get("tokenizer_config.json"),
            vocab: self.get("vocab.txt"),
            special_tokens_map: self.get("special_tokens_map.json"),
            added_tokens: self.get("added_tokens.json"),
        }
    }
}

impl FromIterator<(String, String)> for SmallFiles {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(files: I) -> Self {
        Self(files.into_iter().collect())
    }
}
