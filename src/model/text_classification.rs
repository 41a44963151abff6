//! Labels for texts and pairs of texts.

use serde::Serialize;

use super::{Model, Timing, output};
use crate::clock::now_ms;
use crate::config::{Config, Head, ProblemType};
use crate::error::Result;
use crate::session::{DeviceReport, Sequence, Wanted};
use crate::task::classification::{Label, Problem, labels};
use crate::text::sequence;

/// One text, or two that belong together.
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
    /// Every label, largest first.
    pub labels: Vec<Label>,
    /// Whether the text lost its end because it was too long.
    pub truncated: bool,
    /// Of the whole call that the text was part of, in milliseconds.
    pub timing: Timing,
}

/// A model with a sequence-classification head.
pub struct TextClassification(Model);

impl TextClassification {
    /// Takes a model.
    ///
    /// # Errors
    /// Where its head is another, or it has no tokenizer.
    pub fn new(model: Model) -> Result<Self> {
        model.expect_head("text classification", |head| head == Head::SequenceClassification)?;
        model.tokenizer()?;
        Ok(TextClassification(model))
    }

    /// Opens a directory; see [`Model::open`].
    ///
    /// # Errors
    /// As [`Model::open`] and [`TextClassification::new`].
    #[cfg(not(target_arch = "wasm32"))]
    pub async fn open(
        directory: impl AsRef<std::path::Path>,
        options: &crate::session::SessionOptions,
    ) -> Result<Self> {
        Self::new(Model::open(directory, options).await?)
    }

    /// The model.
    pub fn model(&mut self) -> &mut Model {
        &mut self.0
    }

    /// Where it runs, and why.
    pub fn device(&self) -> &DeviceReport {
        self.0.device()
    }

    /// Every label of every text with its probability, in the order of the texts.
    ///
    /// # Errors
    /// As [`crate::session::Session::run`]; the model stays usable.
    pub async fn classify(&mut self, texts: &[Text<'_>]) -> Result<Vec<Classified>> {
        let started = now_ms();
        let longest = self.0.config.max_position_embeddings;
        let tokenizer = self.0.tokenizer()?;
        let encoded = texts
            .iter()
            .map(|text| sequence::encode(tokenizer, text.text, text.pair, longest))
            .collect::<Result<Vec<_>>>()?;
        let truncated: Vec<bool> = encoded.iter().map(|encoded| encoded.truncated).collect();
        let sequences: Vec<Sequence> =
            encoded.into_iter().map(|encoded| Sequence::new(encoded.ids, encoded.type_ids)).collect();
        let tokenized = now_ms();
        let outputs = self.0.session.run(&sequences, Wanted::default()).await?;
        let computed = now_ms();
        let problem = problem(&self.0.config);
        let names = &self.0.config.labels;
        let mut results = outputs
            .iter()
            .zip(truncated)
            .map(|(outputs, truncated)| {
                let labels = labels(output(outputs, "logits")?, names, problem)?;
                Ok(Classified { labels, truncated, timing: Timing::default() })
            })
            .collect::<Result<Vec<_>>>()?;
        let ended = now_ms();
        let timing = Timing {
            tokenize: tokenized - started,
            compute: computed - tokenized,
            search: ended - computed,
            total: ended - started,
        };
        results.iter_mut().for_each(|result| result.timing = timing);
        Ok(results)
    }
}

/// What the head's outputs mean; where the configuration does not say, one output is a number, as in `transformers`.
fn problem(config: &Config) -> Problem {
    match config.problem_type {
        Some(ProblemType::Regression) => Problem::Regression,
        Some(ProblemType::MultiLabel) => Problem::MultiLabel,
        Some(ProblemType::SingleLabel) => Problem::SingleLabel,
        None if config.num_labels() == 1 => Problem::Regression,
        None => Problem::SingleLabel,
    }
}
