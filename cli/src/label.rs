//! `label`: token classification.

use mobilebert::error::Result;
use mobilebert::model::{Labelled, TokenClassification};
use mobilebert::task::token_classification::{Entity, LabelledToken};
use serde::Serialize;

use crate::arguments::ModelArguments;
use crate::input::TextArguments;
use crate::output::{Output, per_cent, printable};

/// Arguments of `label`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    texts: TextArguments,
    /// One JSON object per text
    #[arg(long)]
    json: bool,
}

/// A line of `--json`.
#[derive(Serialize)]
struct Line<'a> {
    entities: &'a [Entity],
    tokens: Vec<Token<'a>>,
    truncated: bool,
}

#[derive(Serialize)]
struct Token<'a> {
    text: &'a str,
    #[serde(flatten)]
    token: &'a LabelledToken,
}

impl Arguments {
    /// Labels and prints, in the order of the texts.
    pub fn run(self) -> Result<()> {
        let texts = self.texts.read()?;
        let mut model = TokenClassification::new(self.model.open()?)?;
        let mut output = Output::new();
        for text in &texts {
            let result = pollster::block_on(model.label(text))?;
            if self.json {
                output.json(&as_line(text, &result))?;
            } else {
                output.heading(text, texts.len(), result.truncated)?;
                print(&result, &mut output)?;
            }
        }
        output.flush()
    }
}

fn as_line<'a>(text: &'a str, result: &'a Labelled) -> Line<'a> {
    let tokens = result.tokens.iter().map(|token| {
        let text = text.get(token.start_byte..token.end_byte).unwrap_or_default();
        Token { text, token }
    });
    Line { entities: &result.entities, tokens: tokens.collect(), truncated: result.truncated }
}

fn print(result: &Labelled, output: &mut Output) -> Result<()> {
    if result.entities.is_empty() {
        return output.line("         (only O)");
    }
    result.entities.iter().try_for_each(|entity| {
        output.line(&format!(
            "{}  {:12} {}",
            per_cent(entity.probability),
            entity.label,
            printable(&entity.text)
        ))
    })
}
