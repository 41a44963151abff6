//! `cargo xtask goldens`: reference values from PyTorch, made anew.

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::process::{command, root, run as run_command};
use crate::python;

/// Runs the committed script inside an environment of its pinned requirements.
pub fn run(rest: &[String]) -> Result<ExitCode> {
    let folder = root().join("tests/goldens");
    let script = folder.join("make.py");
    if !script.is_file() {
        bail!("{}: not found", script.display());
    }
    let python = python::environment("goldens", &folder.join("requirements.txt"), None)?;
    run_command(command(python).arg(script).args(rest))?;
    Ok(ExitCode::SUCCESS)
}
