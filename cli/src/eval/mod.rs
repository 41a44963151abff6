//! `eval`: official metrics on a data set.

mod calibration;
mod glue;
mod glue_data;
mod squad;
pub mod squad_data;

use clap::Subcommand;
use mobilebert::error::Result;

/// The benchmarks.
#[derive(Subcommand)]
pub enum Command {
    /// Compute exact match and F1 on a file in SQuAD's format
    Squad(squad::Arguments),
    /// Compute the metrics of a GLUE task
    Glue(glue::Arguments),
}

impl Command {
    /// Runs the evaluation.
    pub fn run(self) -> Result<()> {
        match self {
            Command::Squad(arguments) => arguments.run(),
            Command::Glue(arguments) => arguments.run(),
        }
    }
}
