//! The list of commands.

use clap::Subcommand;
use mobilebert::error::Result;

use crate::{
    answer, bench, classify, encode, eval, fill_mask, inspect, label, quantize, rank, run, tokens, zero_shot,
};

/// All commands.
#[derive(Subcommand)]
pub enum Command {
    /// Answer questions about a passage
    Answer(answer::Arguments),
    /// Print the probability of every label for a text or a pair of texts
    Classify(classify::Arguments),
    /// Score labels of your own for a text, with a model for natural-language inference
    ZeroShot(zero_shot::Arguments),
    /// Rank documents by relevance to a query, with a cross-encoder
    Rank(rank::Arguments),
    /// Label the tokens of a text (names, places, …)
    Label(label::Arguments),
    /// Fill in masked words
    FillMask(fill_mask::Arguments),
    /// Embed texts
    Encode(encode::Arguments),
    /// Show the pieces, ids, offsets and windows of a text
    Tokens(tokens::Arguments),
    /// Compute raw outputs for token ids
    Run(run::Arguments),
    /// Show the contents of a model directory and the cost of running it
    Inspect(inspect::Arguments),
    /// Compute official metrics on a data set
    #[command(subcommand)]
    Eval(eval::Command),
    /// Write a smaller copy of a model
    Quantize(quantize::Arguments),
    /// Measure latency by sequence length
    Bench(bench::Arguments),
}

impl Command {
    /// Runs the command.
    pub fn run(self) -> Result<()> {
        match self {
            Command::Answer(arguments) => arguments.run(),
            Command::Classify(arguments) => arguments.run(),
            Command::ZeroShot(arguments) => arguments.run(),
            Command::Rank(arguments) => arguments.run(),
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
