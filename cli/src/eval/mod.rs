//! `eval`: official metrics on a data set.

mod glue;
mod glue_data;
mod squad;
pub mod squad_data;

use clap::Subcommand;
use mobilebert::error::Result;

/// The data sets.
#[derive(Subcommand)]
pub enum Command {
    /// Exact match and F1 on a file of SQuAD's form
    Squad(squad::Arguments),
    /// A task of GLUE
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
