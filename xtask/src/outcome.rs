//! Results of checks, and their table.

use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::process::{run, run_noting};

/// Result of a check that didn't fail; a failure is an error.
#[derive(Serialize, Deserialize)]
pub enum Outcome {
    Passed,
    /// Passed, except for the listed parts that couldn't be run.
    PassedWithout(Vec<String>),
    /// Not run, with the reason.
    Skipped(String),
}

/// Prints the table; the exit code says whether everything that ran passed.
pub fn summary(rows: &[(&str, Result<Outcome>, Duration)], total: Duration) -> ExitCode {
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    println!();
    for (name, outcome, time) in rows {
        let shown = match outcome {
            Ok(Outcome::Passed) => {
                passed += 1;
                "passed".to_owned()
            }
            Ok(Outcome::PassedWithout(parts)) => {
                passed += 1;
                parts.iter().fold("passed".to_owned(), |shown, part| format!("{shown}\n{:>48}  {part}", ""))
            }
            Ok(Outcome::Skipped(reason)) => {
                skipped += 1;
                format!("NOT RUN: {reason}")
            }
            Err(error) => {
                failed += 1;
                format!("FAILED: {error:#}")
            }
        };
        println!("{name:<38} {:>6.1} s  {shown}", time.as_secs_f64());
    }
    println!("{:<38} {:>6.1} s", "all", total.as_secs_f64());
    match skipped {
        0 => println!("{passed} passed, {failed} failed"),
        _ => println!("{passed} passed, {failed} failed, {skipped} skipped"),
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs a command that passes or fails as a whole.
pub fn passed(command: &mut Command) -> Result<Outcome> {
    run(command).map(|()| Outcome::Passed)
}

/// Runs a command whose tests report on standard error which of them were not run.
pub fn noting(command: &mut Command) -> Result<Outcome> {
    let parts = run_noting(command, "NOT RUN:")?;
    Ok(if parts.is_empty() { Outcome::Passed } else { Outcome::PassedWithout(parts) })
}
