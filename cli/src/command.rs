//! The list of commands.

use clap::Subcommand;
use mobilebert::error::Result;

use crate::{answer, bench, classify, encode, eval, fill_mask, inspect, label, quantize, run, tokens};

/// What can be asked for.
#[derive(Subcommand)]
pub enum Command {
    /// Answer questions about a passage
    Answer(answer::Arguments),
    /// Give every label of a text, or of a pair of texts, its probability
    Classify(classify::Arguments),
    /// Label the tokens of a text (names, places, …)
    Label(label::Arguments),
    /// Fill in masked words
    FillMask(fill_mask::Arguments),
    /// Embed texts (mean pooling)
    Encode(encode::Arguments),
    /// Show the pieces, ids, offsets and windows of a text
    Tokens(tokens::Arguments),
    /// Raw outputs for given ids
    Run(run::Arguments),
    /// What a model directory holds and what running it takes
    Inspect(inspect::Arguments),
    /// Official metrics on a data set
    #[command(subcommand)]
    Eval(eval::Command),
    /// Write a smaller copy of a model
    Quantize(quantize::Arguments),
    /// Latency by sequence length
    Bench(bench::Arguments),
}

impl Command {
    /// Runs the command to its end.
    pub fn run(self) -> Result<()> {
        match self {
            Command::Answer(arguments) => arguments.run(),
            Command::Classify(arguments) => arguments.run(),
            Command::Label(arguments) => arguments.run(),
            Command::FillMask(arguments) => arguments.run(),
            Command::Encode(arguments) => arguments.run(),
            Command::Tokens(arguments) => arguments.run(),
            Command::Run(arguments) => arguments.run(),
            Command::Inspect(arguments) => arguments.run(),
            Command::Eval(command) => command.run(),
            Command::Quantize(arguments) => arguments.run(),
            Command::Bench(arguments) => arguments.run(),
        }
    }
}
