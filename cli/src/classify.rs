//! `classify`: every label of a text, or of a pair, with its probability.

use mobilebert::config::Head;
use mobilebert::error::Result;
use mobilebert::model::{Text, TextClassification};
use mobilebert::task::classification::Label;
use serde::Serialize;

use crate::arguments::ShippedModelArguments;
use crate::input::TextArguments;
use crate::output::{Output, per_cent, printable, progress};

/// Number of texts per call: enough to batch similar lengths, few enough to show results soon.
const CHUNK: usize = 64;

/// Arguments of `classify`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ShippedModelArguments,
    #[command(flatten)]
    texts: TextArguments,
    /// The second text of each pair
    #[arg(long, value_name = "TEXT")]
    pair: Option<String>,
    /// One JSON object per text
    #[arg(long)]
    json: bool,
}

/// A line of `--json`.
#[derive(Serialize)]
struct Line<'a> {
    labels: &'a [Label],
    neutral: bool,
    truncated: bool,
}

impl Arguments {
    /// Classifies and prints, in the order of the texts.
    pub fn run(self) -> Result<()> {
        let texts = self.texts.read()?;
        let mut model =
            TextClassification::new(self.model.open("mobilebert-sst2", Head::SequenceClassification)?)?;
        let mut output = Output::new();
        let bar = progress(texts.len(), "texts");
        for (done, chunk) in (0..).step_by(CHUNK).zip(texts.chunks(CHUNK)) {
            let pairs: Vec<Text<'_>> =
                chunk.iter().map(|text| Text { text, pair: self.pair.as_deref() }).collect();
            let results = pollster::block_on(model.classify(&pairs))?;
            for (index, (text, result)) in (done..).zip(chunk.iter().zip(results)) {
                let (labels, neutral, truncated) = (&result.labels[..], result.neutral, result.truncated);
                if self.json {
                    output.json(&Line { labels, neutral, truncated })?;
                } else {
                    output.heading(text, index, texts.len(), truncated)?;
                    if neutral {
                        output.line("(neutral)")?;
                    }
                    labels.iter().try_for_each(|label| output.line(&line(label)))?;
                }
                bar.inc(1);
            }
        }
        bar.finish_and_clear();
        output.flush()
    }
}

/// A line for a label. The value of a regression, or the score of a single output, isn't a percentage.
fn line(label: &Label) -> String {
    if label.logit.is_none() && (0.0..=1.0).contains(&label.probability) {
        format!("{}  {}", per_cent(label.probability), printable(&label.label))
    } else {
        format!("{:7.3}  {}", label.probability, printable(&label.label))
    }
}
