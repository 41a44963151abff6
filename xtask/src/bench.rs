//! `cargo xtask bench`: the committed measurements under `bench/`.

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::process::{command, root, run as run_command};
use crate::{package, setup};

/// Runs `bench/browser/run.mjs`, which times this package and its peers in one browser.
pub fn run(rest: &[String]) -> Result<ExitCode> {
    let script = root().join("bench/browser/run.mjs");
    if !script.is_file() {
        bail!("{}: not found", script.display());
    }
    package::build()?;
    setup::npm_packages("bench/browser")?;
    let missing = setup::system_packages(&[&setup::CHROMIUM]);
    if !missing.is_empty() {
        bail!("the measurement needs {}", missing.join(", "));
    }
    run_command(command("node").arg(script).args(rest))?;
    Ok(ExitCode::SUCCESS)
}
