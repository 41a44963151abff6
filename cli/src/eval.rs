//! `eval`: official metrics on a data set.

use clap::Subcommand;
use mobilebert::error::Result;

use crate::{eval_glue, eval_squad};

/// The data sets.
#[derive(Subcommand)]
pub enum Command {
    /// Exact match and F1 on a file of SQuAD's form
    Squad(eval_squad::Arguments),
    /// A task of GLUE
    Glue(eval_glue::Arguments),
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
