//! The command line that tests run.

use std::path::PathBuf;

use anyhow::Result;

use crate::process::{cargo, run, target};

/// The packages whose tests run together. Not xtask: packages that are tested together share features, so the running
/// program would be rebuilt.
pub const TESTED: [&str; 3] =
    ["--package=mobilebert", "--package=mobilebert-compute", "--package=mobilebert-cli"];

/// Builds the command line as its own tests run it, and returns its path. `cargo build` would compile most of it again:
/// the tests' dependencies add features to those of the program.
pub fn build() -> Result<PathBuf> {
    run(cargo().args(["test", "--quiet", "--no-run"]).args(TESTED).arg("--test=commands"))?;
    Ok(target().join("debug").join(format!("mobilebert{}", std::env::consts::EXE_SUFFIX)))
}
