//! Labels for texts and pairs of texts.

use std::ops::ControlFlow;

use serde::Serialize;

use super::task::{Stopwatch, declare_task, output};
use super::{Model, Timing};
use crate::config::{Config, Head, ProblemType};
use crate::error::Result;
use crate::session::Outputs;
use crate::task::classification::{Label, Problem, labels};
use crate::text::sequence::{self, Encoded};

declare_task! {
    /// A model with a sequence-classification head.
    TextClassification, "text classification", Head::SequenceClassification, Head::SequenceClassification
}

/// A text, or a pair of texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'a> {
    /// The text.
    pub text: &'a str,
    /// The second text of a pair.
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
    /// True if the probabilities lie in the model's neutral zone, if it has one: the text has no clear label.
    pub neutral: bool,
    /// True if the text was too long and lost its end.
    pub truncated: bool,
    /// Timing of the whole call that the text was part of.
    pub timing: Timing,
}

impl TextClassification {
    /// Every label of every text with its probability, in the order of the texts.
    ///
    /// # Errors
    /// Same as [`crate::session::Session::run`]; the model stays usable.
    pub async fn classify(&mut self, texts: &[Text<'_>]) -> Result<Vec<Classified>> {
        self.classify_with(texts, async |_| ControlFlow::Continue(())).await
    }

    /// Like [`TextClassification::classify`]. `progress` is called after each run with the number of finished
    /// texts and may stop the call.
    ///
    /// # Errors
    /// Same as [`TextClassification::classify`], and [`crate::error::Error::Aborted`] if `progress` stopped
    /// the call.
    pub async fn classify_with(
        &mut self,
        texts: &[Text<'_>],
        mut progress: impl AsyncFnMut(usize) -> ControlFlow<()>,
    ) -> Result<Vec<Classified>> {
        let mut stopwatch = Stopwatch::start();
        let encode = |model: &Model, index: usize| {
            let Text { text, pair } = texts[index];
            sequence::encode(model.tokenizer()?, text, pair, model.max_length())
        };
        let mut results = Vec::with_capacity(texts.len());
        let mut take = |encoded: &Encoded, outputs: &Outputs| {
            results.push((output(outputs, "logits")?.data.clone(), encoded.truncated));
            Ok(())
        };
        self.0.run_many(texts.len(), &encode, &mut take, &mut progress, &mut stopwatch).await?;
        let config = &self.0.config;
        let classify = |(logits, truncated): (Vec<f32>, bool)| {
            let labels = label_probabilities(config, &logits)?;
            Ok((is_neutral(&labels, config), labels, truncated))
        };
        let results = results.into_iter().map(classify).collect::<Result<Vec<_>>>()?;
        stopwatch.postprocessed();
        let timing = stopwatch.timing();
        let classified = |(neutral, labels, truncated)| Classified { labels, neutral, truncated, timing };
        Ok(results.into_iter().map(classified).collect())
    }
}

/// All labels with their probabilities at the model's temperature, largest first.
pub(super) fn label_probabilities(config: &Config, logits: &[f32]) -> Result<Vec<Label>> {
    let problem = problem(config)?;
    let temperature = config.calibration.temperature;
    if temperature == 1.0 || !matches!(problem, Problem::SingleLabel | Problem::MultiLabel) {
        return labels(logits, &config.labels, problem);
    }
    let scaled: Vec<f32> = logits.iter().map(|&logit| (f64::from(logit) / temperature) as f32).collect();
    labels(&scaled, &config.labels, problem)
}

/// Only a model with two labels can be neutral.
fn is_neutral(labels: &[Label], config: &Config) -> bool {
    let (Some((low, high)), [_, second]) = (config.calibration.neutral, &config.labels[..]) else {
        return false;
    };
    let second = labels.iter().find(|label| label.label == *second);
    second.is_some_and(|label| (low..=high).contains(&label.probability))
}

/// How the head's outputs are interpreted. A softmax over a single output would always be 1.
fn problem(config: &Config) -> Result<Problem> {
    Ok(match config.problem_type {
        _ if config.num_labels() == 1 => Problem::Score(config.score_activation()?),
        Some(ProblemType::Regression) => Problem::Regression,
        Some(ProblemType::MultiLabel) => Problem::MultiLabel,
        Some(ProblemType::SingleLabel) | None => Problem::SingleLabel,
    })
}
