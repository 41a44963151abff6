//! Checks that a model has an embedding for each token.

use tokenizers::Model;

use super::Tokenizer;
use super::form::token_text;
use crate::error::{Error, Result};

impl Tokenizer {
    /// Checks that a model with `vocab_size` word embeddings has embeddings for the special tokens that every
    /// input contains. Other tokens without an embedding are an error only where they occur, as in
    /// `transformers`; embeddings without a token are padding.
    ///
    /// # Errors
    /// [`Error::Config`] with the token, its id and `vocab_size`.
    pub fn check_vocabulary(&self, vocab_size: usize) -> Result<()> {
        match self.template.special_ids(false).find(|id| *id as usize >= vocab_size) {
            None => Ok(()),
            Some(id) => {
                let problem = format!(
                    "is {vocab_size}, but {} has id {id}; they belong to different models",
                    self.listed(id)
                );
                Err(Error::config("vocab_size", problem))
            }
        }
    }

    /// Checks that a model with `vocab_size` word embeddings has an embedding for every token of an input.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] with the token, its id and `vocab_size`.
    pub fn check_ids(&self, ids: &[u32], vocab_size: usize) -> Result<()> {
        match ids.iter().find(|id| **id as usize >= vocab_size) {
            None => Ok(()),
            Some(id) => {
                let problem = format!(
                    "{}: {id} is not below vocab_size {vocab_size}; the model has no embedding for it",
                    self.listed(*id)
                );
                Err(Error::invalid_input("input_ids", problem))
            }
        }
    }

    /// A token and the file that lists it, for a message.
    fn listed(&self, id: u32) -> String {
        let token = self.token(id).unwrap_or_default();
        let added = self.added.iter().find(|added| added.id == id);
        let in_vocabulary = self.model.token_to_id(&token).is_some();
        let file = added.filter(|_| !in_vocabulary).map_or(self.file, |added| added.file);
        format!("token {} of {file}", token_text(&token))
    }
}
