//! The checks of the TypeScript and JavaScript of the package and the pages.

use anyhow::{Result, bail};

use crate::outcome::{Outcome, passed};
use crate::process::{command, root, run};
use crate::{browser, package, setup, site, size};

pub fn types() -> Result<Outcome> {
    package::build()?;
    setup::npm_packages("tests/browser")?;
    let tsc = || command(setup::npm_program("pkg", "tsc"));
    run(tsc().args(["--noEmit", "--project", "pkg/tsconfig.json"]))?;
    run(tsc().args(["--project", "pkg/test/tsconfig.json"]))?;
    run(tsc().args(["--project", "www/tsconfig.json"]))?;
    passed(tsc().args(["--project", "www/offline/tsconfig.json"]))
}

pub fn lint() -> Result<Outcome> {
    setup::npm_packages("pkg")?;
    passed(command(setup::npm_program("pkg", "biome")).args([
        "check",
        "--error-on-warnings",
        "pkg",
        "www",
        "tests/browser",
        "tests/package",
        "tests/transformers-js",
        "examples",
    ]))
}

/// The pages in real browsers.
pub fn browsers() -> Result<Outcome> {
    if let Some(missing) = browser::missing() {
        return Ok(Outcome::Skipped(missing));
    }
    let tests = size::with_extension(&root().join("tests/browser"), "mjs")?;
    let tests: Vec<_> =
        tests.into_iter().filter(|path| path.to_string_lossy().ends_with(".test.mjs")).collect();
    if tests.is_empty() {
        bail!("tests/browser has no tests");
    }
    let mut node = browser::node()?;
    node.env("SITE", site::build(&[])?);
    // Two files at a time: each spends much of its time waiting for a browser to start and for pages to load.
    passed(node.args(["--test", "--test-concurrency=2"]).args(tests))
}
