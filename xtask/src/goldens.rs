//! `cargo xtask goldens`: regenerates the reference values with PyTorch.

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::process::{command, root, run as run_command};
use crate::python;

/// Runs a script in an environment with its pinned requirements: with `bench` first, the one for the latency page's stored
/// logits, otherwise the one for the parity tests.
pub fn run(rest: &[String]) -> Result<ExitCode> {
    let folder = root().join("tests/goldens");
    let (script, rest) = match rest.split_first() {
        Some((first, rest)) if first == "bench" => (folder.join("bench_logits.py"), rest),
        _ => (folder.join("make.py"), rest),
    };
    if !script.is_file() {
        bail!("{}: not found", script.display());
    }
    let python = python::environment("goldens", &folder.join("requirements.txt"), None)?;
    run_command(command(python).arg(script).args(rest))?;
    Ok(ExitCode::SUCCESS)
}
