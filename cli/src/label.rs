//! `label`: token classification.

use std::io::IsTerminal;
use std::ops::ControlFlow;

use clap::ValueEnum;
use mobilebert::config::Head;
use mobilebert::error::Result;
use mobilebert::model::{LabelOptions, Labeled, TokenClassification};
use mobilebert::task::token_classification::{Aggregation, Entity, EntityOptions, LabeledToken, redact};
use serde::Serialize;

use crate::arguments::ModelArguments;
use crate::input::TextArguments;
use crate::output::{Output, per_cent, printable, progress};

/// Arguments of `label`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    texts: TextArguments,
    /// How tokens are grouped into entities
    #[arg(long, value_name = "NAME", default_value = "simple")]
    aggregation: AggregationName,
    /// Labels to omit, separated by commas; "" omits none
    #[arg(long, value_name = "LABELS", default_value = "O")]
    ignore_labels: String,
    /// Print the text with every entity replaced by its label: [PER]. The whole input is one text
    #[arg(long)]
    redact: bool,
    /// One JSON object per text
    #[arg(long)]
    json: bool,
}

/// `--aggregation`, like `aggregation_strategy` in `transformers`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum AggregationName {
    /// Every token separately
    None,
    /// Adjacent tokens with the same label
    Simple,
    /// Whole words, labeled by their first token
    First,
    /// Whole words, labeled by the mean over their tokens
    Average,
    /// Whole words, labeled by their most certain token
    Max,
}

/// A line of `--json`.
#[derive(Serialize)]
struct Line<'a> {
    entities: &'a [Entity],
    tokens: Vec<Token<'a>>,
    windows: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    redacted: Option<String>,
}

#[derive(Serialize)]
struct Token<'a> {
    text: &'a str,
    #[serde(flatten)]
    token: &'a LabeledToken,
}

impl Arguments {
    /// Labels and prints, in the order of the texts.
    pub fn run(self) -> Result<()> {
        let texts = if self.redact { vec![self.texts.read_whole()?] } else { self.texts.read()? };
        let mut model = TokenClassification::new(self.model.open_for(Head::TokenClassification)?)?;
        let options = self.options();
        let mut output = Output::new();
        for (index, text) in texts.iter().enumerate() {
            let result = label(&mut model, text, &options)?;
            let redacted = || redact(text, &result.entities, |entity| format!("[{}]", entity.label));
            if self.json {
                output.json(&as_line(text, &result, self.redact.then(redacted)))?;
            } else if self.redact {
                print_text(&redacted(), &mut output)?;
            } else {
                output.heading(text, index, texts.len(), false)?;
                print(&result, &mut output)?;
            }
        }
        output.flush()
    }

    fn options(&self) -> LabelOptions {
        let aggregation = match self.aggregation {
            AggregationName::None => Aggregation::None,
            AggregationName::Simple => Aggregation::Simple,
            AggregationName::First => Aggregation::First,
            AggregationName::Average => Aggregation::Average,
            AggregationName::Max => Aggregation::Max,
        };
        let ignored = self.ignore_labels.split(',').map(str::trim).filter(|label| !label.is_empty());
        let ignore_labels = ignored.map(str::to_owned).collect();
        LabelOptions { entities: EntityOptions { aggregation, ignore_labels }, tokens: self.json }
    }
}

fn label(model: &mut TokenClassification, text: &str, options: &LabelOptions) -> Result<Labeled> {
    let bar = progress(0, "windows");
    let labeled = pollster::block_on(model.label_with(text, options, async |windows| {
        bar.set_position(windows as u64);
        ControlFlow::Continue(())
    }));
    bar.finish_and_clear();
    labeled
}

fn as_line<'a>(text: &'a str, result: &'a Labeled, redacted: Option<String>) -> Line<'a> {
    let tokens = result.tokens.iter().map(|token| {
        let text = text.get(token.start_byte..token.end_byte).unwrap_or_default();
        Token { text, token }
    });
    Line { entities: &result.entities, tokens: tokens.collect(), windows: result.windows, redacted }
}

fn print(result: &Labeled, output: &mut Output) -> Result<()> {
    if result.entities.is_empty() {
        return output.line("         (no entities)");
    }
    result.entities.iter().try_for_each(|entity| {
        output.line(&format!(
            "{}  {:12} {}",
            per_cent(entity.probability),
            printable(&entity.label),
            printable(&entity.text)
        ))
    })
}

/// Prints a text exactly, except for control characters on a terminal.
fn print_text(text: &str, output: &mut Output) -> Result<()> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    if !std::io::stdout().is_terminal() {
        return output.line(text);
    }
    text.lines().try_for_each(|line| output.line(&printable(line)))
}
