//! Labels for texts and pairs of texts.

use serde::Serialize;

use super::Timing;
use super::task::{declare_task, output};
use crate::config::{Config, Head, ProblemType};
use crate::error::Result;
use crate::task::classification::{Label, Problem, labels};
use crate::text::sequence;

declare_task! {
    /// A model with a sequence-classification head.
    TextClassification, "text classification", Head::SequenceClassification, Head::SequenceClassification
}

/// One text, or a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'a> {
    /// The text.
    pub text: &'a str,
    /// The second of a pair.
    pub pair: Option<&'a str>,
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Text { text, pair: None }
    }
}

/// The labels of a text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Classified {
    /// Every label, the most probable first.
    pub labels: Vec<Label>,
    /// Whether the text was too long and lost its end.
    pub truncated: bool,
    /// Timing of the whole call that the text was part of.
    pub timing: Timing,
}

impl TextClassification {
    /// Every label of every text with its probability, in the order of the texts.
    ///
    /// # Errors
    /// As [`crate::session::Session::run`]; the model stays usable.
    pub async fn classify(&mut self, texts: &[Text<'_>]) -> Result<Vec<Classified>> {
        let run = self.0.run_task(
            |tokenizer, max_length| {
                let encode = |text: &Text<'_>| sequence::encode(tokenizer, text.text, text.pair, max_length);
                texts.iter().map(encode).collect()
            },
            |model, encoded, outputs| {
                let logits = &output(outputs, "logits")?.data;
                let labels = labels(logits, &model.config.labels, problem(&model.config)?)?;
                Ok((labels, encoded.truncated))
            },
        );
        let (results, timing) = run.await?;
        let classified = |(labels, truncated)| Classified { labels, truncated, timing };
        Ok(results.into_iter().map(classified).collect())
    }
}

/// How to read the head's outputs. A softmax over a single output would always be 1.
fn problem(config: &Config) -> Result<Problem> {
    Ok(match config.problem_type {
        _ if config.num_labels() == 1 => Problem::Score(config.score_activation()?),
        Some(ProblemType::Regression) => Problem::Regression,
        Some(ProblemType::MultiLabel) => Problem::MultiLabel,
        Some(ProblemType::SingleLabel) | None => Problem::SingleLabel,
    })
}
