//! Scores arbitrary labels for a text, with a model for natural-language inference.

use std::ops::ControlFlow;

use serde::Serialize;

use super::Timing;
use super::task::{Stopwatch, declare_task, output};
use crate::config::Head;
use crate::error::{Error, Result};
use crate::task::zero_shot::{Inference, ScoredLabel, Template, scores};
use crate::text::sequence;

declare_task! {
    /// A model with a sequence-classification head for natural-language inference.
    ZeroShotClassification, "zero-shot classification", Head::SequenceClassification, Head::SequenceClassification
}

/// Options of a zero-shot classification. The defaults are those of `transformers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZeroShotOptions<'a> {
    /// The hypothesis, with `{}` where the label belongs.
    pub hypothesis_template: &'a str,
    /// Whether several labels can apply. Otherwise, their scores add up to 1.
    pub multi_label: bool,
}

impl Default for ZeroShotOptions<'_> {
    fn default() -> Self {
        ZeroShotOptions { hypothesis_template: "This example is {}.", multi_label: false }
    }
}

/// The scores of the labels of a text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ZeroShotClassified {
    /// Every label, best first.
    pub labels: Vec<ScoredLabel>,
    /// True if the text was too long and lost its end for at least one label.
    pub truncated: bool,
    /// Timing of the call.
    pub timing: Timing,
}

impl ZeroShotClassification {
    /// The score of every label for a text.
    ///
    /// # Errors
    /// Same as [`ZeroShotClassification::classify_with`].
    pub async fn classify(
        &mut self,
        text: &str,
        labels: &[&str],
        options: &ZeroShotOptions<'_>,
    ) -> Result<ZeroShotClassified> {
        self.classify_with(text, labels, options, async |_| ControlFlow::Continue(())).await
    }

    /// Like [`ZeroShotClassification::classify`]. `progress` is called after each run with the number of
    /// finished labels and may stop the call. Memory use doesn't depend on the number of labels, except for
    /// the labels themselves.
    ///
    /// A text that is too long is truncated, but hypotheses never are.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a model without an entailment label, [`Error::InvalidInput`] for a template without
    /// `{}`, no labels, or a label so long that its hypothesis doesn't fit, [`Error::Aborted`] if `progress` stopped
    /// the call. The model stays usable.
    pub async fn classify_with(
        &mut self,
        text: &str,
        labels: &[&str],
        options: &ZeroShotOptions<'_>,
        mut progress: impl AsyncFnMut(usize) -> ControlFlow<()>,
    ) -> Result<ZeroShotClassified> {
        let mut stopwatch = Stopwatch::start();
        let inference = Inference::of_labels(&self.0.config.labels)?;
        let template = Template::parse(options.hypothesis_template)?;
        if labels.is_empty() {
            return Err(Error::invalid_input("labels", "is empty; at least one label is needed"));
        }
        let premise = self.0.tokenizer()?.encode_with_special_tokens(text)?;
        let (mut evidence, mut truncated) = (Vec::with_capacity(labels.len()), false);
        let encode = |model: &super::Model, index: usize| {
            let (tokenizer, max_length) = (model.tokenizer()?, model.max_length());
            let hypothesis = tokenizer.encode_with_special_tokens(&template.hypothesis(labels[index]))?;
            sequence::assemble_whole_pair(tokenizer, premise.clone(), hypothesis, max_length).map_err(|_| {
                let problem =
                    format!("label {index} is too long: its hypothesis doesn't fit in {max_length} tokens");
                Error::invalid_input("labels", problem)
            })
        };
        let mut take = |encoded: &sequence::Encoded, outputs: &crate::session::Outputs| {
            truncated |= encoded.truncated;
            evidence.push(inference.evidence(&output(outputs, "logits")?.data)?);
            Ok(())
        };
        self.0.run_many(labels.len(), &encode, &mut take, &mut progress, &mut stopwatch).await?;
        let labels = scores(labels, &evidence, options.multi_label);
        stopwatch.postprocessed();
        Ok(ZeroShotClassified { labels, truncated, timing: stopwatch.timing() })
    }
}
