//! Labels for the tokens of a text of any length.

use std::ops::ControlFlow;

use serde::Serialize;

use super::Timing;
use super::task::{Stopwatch, declare_task, output};
use crate::config::Head;
use crate::error::{Error, Result};
use crate::task::token_classification::{Entities, Entity, EntityOptions, LabeledToken, tokens};
use crate::text::sequence;
use crate::text::sliding::Sliding;

/// Number of tokens shared by adjacent windows, if a window holds at least twice as many.
const OVERLAP: usize = 128;

declare_task! {
    /// A model with a token-classification head.
    TokenClassification, "token classification", Head::TokenClassification, Head::TokenClassification
}

/// Options of [`TokenClassification::label_with`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelOptions {
    /// How tokens are grouped into entities.
    pub entities: EntityOptions,
    /// Whether to also list every token.
    pub tokens: bool,
}

/// The labeled tokens of a text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Labeled {
    /// The labeled parts of the text, in its order.
    pub entities: Vec<Entity>,
    /// Every token with its label, `O` included, if [`LabelOptions::tokens`] is set.
    pub tokens: Vec<LabeledToken>,
    /// Number of windows that the text was split into.
    pub windows: usize,
    /// Timing of the call.
    pub timing: Timing,
}

impl TokenClassification {
    /// Labels a text of any length, and lists every token.
    ///
    /// # Errors
    /// Same as [`crate::session::Session::run`]; the model stays usable.
    pub async fn label(&mut self, text: &str) -> Result<Labeled> {
        let options = LabelOptions { tokens: true, ..LabelOptions::default() };
        self.label_with(text, &options, async |_| ControlFlow::Continue(())).await
    }

    /// Labels a text of any length. A text that is too long for the model is read in overlapping windows;
    /// every token gets its label from the window with the most context around it, so no entity is cut where
    /// windows meet. `progress` is called between runs with the number of windows read, and may stop the
    /// call.
    ///
    /// # Errors
    /// Same as [`crate::session::Session::run`], and [`Error::Aborted`] if `progress` stopped the call; the
    /// model stays usable.
    pub async fn label_with(
        &mut self,
        text: &str,
        options: &LabelOptions,
        mut progress: impl AsyncFnMut(usize) -> ControlFlow<()>,
    ) -> Result<Labeled> {
        let mut stopwatch = Stopwatch::start();
        let (max_length, labels) = (self.0.max_length(), self.0.config.labels.clone());
        let tokenizer = self.0.tokenizer()?;
        let capacity = sequence::room(tokenizer, max_length)?;
        let pieces = tokenizer.encode_with_special_tokens(text)?;
        let spans = Sliding::new(pieces.len(), capacity, capacity - OVERLAP.min(capacity / 2));
        let windows = if pieces.is_empty() { 0 } else { spans.len() };
        let mut entities = Entities::new(text, &labels, &options.entities);
        let (mut listed, mut read) = (Vec::new(), 0);
        let encode = |model: &super::Model, index: usize| {
            let pieces = pieces.get(spans.span(index)).unwrap_or_default().to_vec();
            sequence::assemble(model.tokenizer()?, pieces, None, max_length)
        };
        let mut take = |encoded: &sequence::Encoded, outputs: &crate::session::Outputs| {
            let max_context = spans.max_context(read);
            let first = max_context.iter().position(|&is_max| is_max).unwrap_or_default();
            let last = max_context.iter().rposition(|&is_max| is_max).map_or(first, |last| last + 1);
            let before = encoded.positions[0];
            let rows = (before + first) * labels.len()..(before + last) * labels.len();
            let logits = output(outputs, "logits")?.data.get(rows);
            let logits = logits.ok_or_else(|| Error::internal("logits", "fewer rows than tokens"))?;
            let labeled_pieces = &encoded.pieces[first..last];
            entities.add(labeled_pieces, logits)?;
            if options.tokens {
                let before = listed.len();
                let of_window = tokens(labeled_pieces, logits, &labels)?.into_iter();
                listed.extend(of_window.map(|token| LabeledToken { index: before + token.index, ..token }));
            }
            read += 1;
            Ok(())
        };
        self.0.run_many(windows, &encode, &mut take, &mut progress, &mut stopwatch).await?;
        let entities = entities.finish();
        stopwatch.postprocessed();
        Ok(Labeled { entities, tokens: listed, windows, timing: stopwatch.timing() })
    }
}
