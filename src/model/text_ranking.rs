//! Documents ranked by their relevance to a query, with a cross-encoder.

use std::ops::ControlFlow;

use serde::Serialize;

use super::Timing;
use super::task::{Stopwatch, declare_task, output};
use crate::config::Head;
use crate::error::{Error, Result};
use crate::session::Outputs;
use crate::task::text_ranking::{RankedDocument, ranked};
use crate::text::sequence::{self, Encoded};

declare_task! {
    /// A model with a sequence-classification head with a single output: a cross-encoder.
    TextRanking, "text ranking", Head::SequenceClassification, Head::SequenceClassification
}

/// Ranked documents.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ranking {
    /// The best documents, best first.
    pub documents: Vec<RankedDocument>,
    /// True if the query or a document was too long and lost its end.
    pub truncated: bool,
    /// Timing of the call.
    pub timing: Timing,
}

impl TextRanking {
    /// The `top_k` most relevant documents, or all of them.
    ///
    /// # Errors
    /// Same as [`TextRanking::rank_with`].
    pub async fn rank(&mut self, query: &str, documents: &[&str], top_k: Option<usize>) -> Result<Ranking> {
        self.rank_with(query, documents, top_k, async |_| ControlFlow::Continue(())).await
    }

    /// Like [`TextRanking::rank`]. `progress` is called after each run with the number of finished documents
    /// and may stop the call.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a model with more than one output or an unknown activation,
    /// [`Error::InvalidInput`] if there are no documents, [`Error::Aborted`] if `progress` stopped the call.
    /// The model stays usable.
    pub async fn rank_with(
        &mut self,
        query: &str,
        documents: &[&str],
        top_k: Option<usize>,
        mut progress: impl AsyncFnMut(usize) -> ControlFlow<()>,
    ) -> Result<Ranking> {
        let mut stopwatch = Stopwatch::start();
        let config = &self.0.config;
        if config.num_labels() != 1 {
            let what =
                format!("text ranking with {} outputs ({})", config.num_labels(), config.labels.join(", "));
            return Err(Error::unsupported(
                what,
                "load a cross-encoder, which has one, or use text classification",
            ));
        }
        let activation = config.score_activation()?;
        if documents.is_empty() {
            return Err(Error::invalid_input("documents", "is empty; at least one document is needed"));
        }
        let pieces = self.0.tokenizer()?.encode_with_special_tokens(query)?;
        let (mut logits, mut truncated) = (Vec::with_capacity(documents.len()), false);
        let encode = |model: &super::Model, index: usize| {
            let tokenizer = model.tokenizer()?;
            let document = tokenizer.encode_with_special_tokens(documents[index])?;
            sequence::assemble(tokenizer, pieces.clone(), Some(document), model.max_length())
        };
        let mut take = |encoded: &Encoded, outputs: &Outputs| {
            truncated |= encoded.truncated;
            logits.extend(output(outputs, "logits")?.data.first());
            Ok(())
        };
        self.0.run_many(documents.len(), &encode, &mut take, &mut progress, &mut stopwatch).await?;
        let documents = ranked(&logits, activation, top_k)?;
        stopwatch.postprocessed();
        Ok(Ranking { documents, truncated, timing: stopwatch.timing() })
    }
}
