//! The checks in Python, and those whose tools come from PyPI.

use anyhow::Result;

use crate::outcome::{Outcome, passed};
use crate::process::command;
use crate::{engine, python};

pub fn lint() -> Result<Outcome> {
    if let Some(missing) = python::missing() {
        return Ok(Outcome::Skipped(missing));
    }
    passed(command(python::lint()?).args(["-m", "ruff", "check", "training", "tests", "bench"]))
}

/// Lints GitHub's workflows. The linter is a binary that its package contains, and not every platform has one.
pub fn workflow_lint() -> Result<Outcome> {
    if let Some(missing) = python::missing() {
        return Ok(Outcome::Skipped(missing));
    }
    match python::workflows() {
        Ok(python) => passed(&mut command(python.with_file_name("actionlint"))),
        Err(error) => Ok(Outcome::Skipped(format!("missing: actionlint, from PyPI ({error:#})"))),
    }
}

pub fn training_tests() -> Result<Outcome> {
    if let Some(missing) = python::missing() {
        return Ok(Outcome::Skipped(missing));
    }
    let mut tests = command(python::training()?);
    // The tests run the recipe's exports in the engine. Models this small gain nothing from threads, but test files can
    // run in parallel.
    tests.env("MOBILEBERT_BIN", engine::build()?).env("OMP_NUM_THREADS", "1");
    passed(tests.args(["-m", "pytest", "--quiet", "-n", "2", "--dist", "loadfile", "training/tests"]))
}
