//! The steps of a head, and the plan's results.

use super::{PlanBuilder, TokenRows};
use crate::plan::modules::{Dense, HeadModules, Pooler, WordPredictions};
use crate::plan::{BufferId, Output, Request};

impl PlanBuilder<'_> {
    pub(super) fn head(&mut self, head: &HeadModules, hidden: BufferId) {
        let batch = self.plan.request.batch;
        match head {
            HeadModules::QuestionAnswering(dense) => self.question_answering(dense, hidden),
            HeadModules::Sequence(pooler, classifier) => {
                let pooled = self.pool(pooler, hidden);
                let logits = self.linear(classifier, pooled);
                self.output("logits", logits, &[batch, classifier.out_features()], &[]);
            }
            HeadModules::TokenClassification(classifier) => {
                let logits = self.tokens_linear(classifier, hidden);
                self.output_tokens("logits", logits, classifier.out_features());
            }
            HeadModules::MaskedLanguageModel(predictions) => {
                let logits = self.word_predictions(predictions, hidden);
                self.output_tokens("logits", logits, predictions.decoder.out_features());
            }
            HeadModules::PreTraining(predictions, pooler, next_sentence) => {
                let logits = self.word_predictions(predictions, hidden);
                self.output_tokens("prediction_logits", logits, predictions.decoder.out_features());
                let pooled = self.pool(pooler, hidden);
                let logits = self.linear(next_sentence, pooled);
                self.output("seq_relationship_logits", logits, &[batch, next_sentence.out_features()], &[]);
            }
            HeadModules::Encoder(pooler) => {
                self.output_hidden("last_hidden_state", hidden);
                if let Some(pooler) = pooler {
                    let pooled = self.pool(pooler, hidden);
                    self.output("pooler_output", pooled.buffer, &[batch, pooled.stride], &[]);
                }
            }
        }
    }

    /// The linear computes two logits per token; its columns are the two outputs.
    fn question_answering(&mut self, dense: &Dense, hidden: BufferId) {
        let Request { batch, sequence, .. } = self.plan.request;
        let logits = self.tokens_linear(dense, hidden);
        for (column, name) in ["start_logits", "end_logits"].into_iter().enumerate() {
            self.plan.outputs.push(Output {
                name: name.into(),
                buffer: logits,
                shape: vec![batch, sequence],
                sequence_axes: vec![1],
                column: Some((column, dense.out_features())),
            });
        }
    }

    /// The pooled vector of each sequence; without a dense module, a view of the first tokens' hidden states.
    fn pool(&mut self, pooler: &Pooler, hidden: BufferId) -> TokenRows {
        let first = self.first_tokens(hidden, self.network.config.hidden_size);
        let Some(dense) = &pooler.dense else { return first };
        let pooled = self.linear(dense, first);
        let pooled = self.activate(dense, pooled, pooler.activation);
        TokenRows { buffer: pooled, count: first.count, stride: dense.out_features() }
    }

    fn word_predictions(&mut self, predictions: &WordPredictions, hidden: BufferId) -> BufferId {
        let transformed = self.tokens_linear(&predictions.dense, hidden);
        let transformed = self.activate(&predictions.dense, transformed, self.network.config.hidden_act);
        let transformed = self.norm(&predictions.norm, transformed);
        self.tokens_linear(&predictions.decoder, transformed)
    }
}
