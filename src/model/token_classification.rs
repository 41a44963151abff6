//! Labels for the tokens of a text.

use serde::Serialize;

use super::Timing;
use super::task::{declare_task, output};
use crate::config::Head;
use crate::error::{Error, Result};
use crate::task::token_classification::{Entity, LabelledToken, entities, tokens};
use crate::text::sequence;

declare_task! {
    /// A model with a token-classification head.
    TokenClassification, "token classification", Head::TokenClassification, open
}

/// The labelled tokens of a text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Labelled {
    /// Adjacent tokens with the same label joined; tokens labelled `O` are left out.
    pub entities: Vec<Entity>,
    /// Every token with its label, `O` included.
    pub tokens: Vec<LabelledToken>,
    /// Whether the text was too long and lost its end.
    pub truncated: bool,
    /// Timing of the call.
    pub timing: Timing,
}

impl TokenClassification {
    /// Labels a text; a text longer than the model reads is truncated.
    ///
    /// # Errors
    /// As [`crate::session::Session::run`]; the model stays usable.
    pub async fn label(&mut self, text: &str) -> Result<Labelled> {
        let run = self.0.run_task_once(
            |tokenizer, max_length| sequence::encode(tokenizer, text, None, max_length),
            |model, encoded, outputs| {
                let names = &model.config.labels;
                let first = encoded.positions[0];
                let rows = first * names.len()..(first + encoded.pieces.len()) * names.len();
                let logits = output(outputs, "logits")?
                    .data
                    .get(rows)
                    .ok_or_else(|| Error::internal("logits", "fewer rows than tokens"))?;
                let tokens = tokens(&encoded.pieces, logits, names)?;
                Ok((entities(text, &tokens), tokens, encoded.truncated))
            },
        );
        let ((entities, tokens, truncated), timing) = run.await?;
        Ok(Labelled { entities, tokens, truncated, timing })
    }
}
