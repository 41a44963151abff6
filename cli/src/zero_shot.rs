//! `zero-shot`: scores arbitrary labels for a text.

use std::ops::ControlFlow;

use mobilebert::config::Head;
use mobilebert::error::{Error, Result};
use mobilebert::model::{ZeroShotClassification, ZeroShotOptions};
use mobilebert::task::zero_shot::ScoredLabel;
use serde::Serialize;

use crate::arguments::ModelArguments;
use crate::input::{Source, TextArguments};
use crate::output::{Output, per_cent, printable, progress};

/// Arguments of `zero-shot`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    texts: TextArguments,
    /// The labels, separated by commas
    #[arg(long, value_name = "LABELS", required_unless_present = "labels_file")]
    labels: Option<String>,
    /// A file with one label per line, which may contain commas
    #[arg(long, value_name = "FILE", conflicts_with = "labels")]
    labels_file: Option<Source>,
    /// The hypothesis, with {} where the label belongs
    #[arg(long, value_name = "TEXT", default_value = ZeroShotOptions::default().hypothesis_template)]
    template: String,
    /// Score each label independently; several may apply
    #[arg(long)]
    multi_label: bool,
    /// One JSON object per text
    #[arg(long)]
    json: bool,
}

/// A line of `--json`.
#[derive(Serialize)]
struct Line<'a> {
    labels: &'a [ScoredLabel],
    truncated: bool,
}

impl Arguments {
    /// Classifies and prints, in the order of the texts.
    pub fn run(self) -> Result<()> {
        if self.labels_file == Some(Source::StandardInput)
            && self.texts.source() == Some(&Source::StandardInput)
        {
            let problem = "the labels and the texts can't both come from standard input";
            return Err(Error::invalid_input("labels-file", problem));
        }
        let labels = self.labels()?;
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        let texts = self.texts.read()?;
        let mut model = ZeroShotClassification::new(self.model.open_for(Head::SequenceClassification)?)?;
        let options = ZeroShotOptions { hypothesis_template: &self.template, multi_label: self.multi_label };
        let mut output = Output::new();
        let bar = progress(texts.len() * labels.len(), "hypotheses");
        for (index, text) in texts.iter().enumerate() {
            let done = async |labels_done: usize| {
                bar.set_position((index * labels.len() + labels_done) as u64);
                ControlFlow::Continue(())
            };
            let result = pollster::block_on(model.classify_with(text, &labels, &options, done))?;
            let (labels, truncated) = (&result.labels[..], result.truncated);
            if self.json {
                output.json(&Line { labels, truncated })?;
                continue;
            }
            output.heading(text, index, texts.len(), truncated)?;
            for ScoredLabel { label, score } in labels {
                output.line(&format!("{}  {}", per_cent(*score), printable(label)))?;
            }
        }
        bar.finish_and_clear();
        output.flush()
    }

    /// Like `transformers`, drops white space around commas and empty labels.
    fn labels(&self) -> Result<Vec<String>> {
        if let Some(source) = &self.labels_file {
            return source.read_lines("label");
        }
        let listed = self.labels.as_deref().unwrap_or_default().split(',').map(str::trim);
        Ok(listed.filter(|label| !label.is_empty()).map(str::to_owned).collect())
    }
}
