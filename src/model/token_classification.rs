//! Labels for the words of a text.

use serde::Serialize;

use super::{Model, Timing, output};
use crate::clock::now_ms;
use crate::config::Head;
use crate::error::{Error, Result};
use crate::session::{Sequence, Wanted};
use crate::task::token_classification::{Entity, LabelledToken, entities, tokens};
use crate::text::sequence;

/// The labelled parts of a text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Labelled {
    /// Neighbouring tokens of one label joined; what is labelled `O` is left out.
    pub entities: Vec<Entity>,
    /// Every token with its label, `O` included.
    pub tokens: Vec<LabelledToken>,
    /// Whether the text lost its end because it was too long.
    pub truncated: bool,
    /// Milliseconds.
    pub timing: Timing,
}

/// A model with a token-classification head.
pub struct TokenClassification(Model);

impl TokenClassification {
    /// Takes a model.
    ///
    /// # Errors
    /// Where its head is another, or it has no tokenizer.
    pub fn new(model: Model) -> Result<Self> {
        model.expect_head("token classification", |head| head == Head::TokenClassification)?;
        model.tokenizer()?;
        Ok(TokenClassification(model))
    }

    /// The model.
    pub fn model(&mut self) -> &mut Model {
        &mut self.0
    }

    /// Labels a text; what is longer than the model reads is cut and said so.
    ///
    /// # Errors
    /// As [`crate::session::Session::run`]; the model stays usable.
    pub async fn label(&mut self, text: &str) -> Result<Labelled> {
        let started = now_ms();
        let longest = self.0.config.max_position_embeddings;
        let encoded = sequence::encode(self.0.tokenizer()?, text, None, longest)?;
        let tokenized = now_ms();
        let input = Sequence::new(encoded.ids, encoded.type_ids);
        let outputs = self.0.session.run(&[input], Wanted::default()).await?;
        let computed = now_ms();
        let Some(outputs) = outputs.first() else {
            return Err(Error::internal("logits", "a run of one sequence gave no result"));
        };
        let names = &self.0.config.labels;
        // [CLS] stands before the pieces, [SEP] after them.
        let rows = names.len()..(encoded.pieces.len() + 1) * names.len();
        let logits = output(outputs, "logits")?
            .get(rows)
            .ok_or_else(|| Error::internal("logits", "fewer rows than tokens"))?;
        let tokens = tokens(&encoded.pieces, logits, names)?;
        let entities = entities(text, &tokens);
        let ended = now_ms();
        let timing = Timing {
            tokenize: tokenized - started,
            compute: computed - tokenized,
            search: ended - computed,
            total: ended - started,
        };
        Ok(Labelled { entities, tokens, truncated: encoded.truncated, timing })
    }
}
