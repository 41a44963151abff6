//! The checks of the npm package.

use anyhow::Result;

use crate::outcome::{Outcome, noting, passed};
use crate::process::{command, root, run, target};
use crate::{browser, engine, package, pages, setup, size};

/// Builds the package and the pages, and reports what a browser downloads.
pub fn build() -> Result<Outcome> {
    pages::build()?;
    size::report()?;
    Ok(Outcome::Passed)
}

/// The package's unit tests, bundled like the package and run by Node.
pub fn unit_tests() -> Result<Outcome> {
    setup::npm_packages("pkg")?;
    let folder = target().join("package-tests");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let sources = size::with_extension(&root().join("pkg/test"), "ts")?;
    let sources = sources.iter().filter(|path| path.to_string_lossy().ends_with(".test.ts"));
    let mut bundle = command(setup::npm_program("pkg", "esbuild"));
    bundle.args(sources).arg(format!("--outdir={}", folder.display())).args([
        "--bundle",
        "--format=esm",
        "--platform=node",
        "--target=node20",
        "--out-extension:.js=.mjs",
        "--external:#wasm",
        "--log-level=warning",
    ]);
    run(&mut bundle)?;
    let layers = root().join("tests/package/layers.test.mjs");
    passed(command("node").arg("--test").args(size::with_extension(&folder, "mjs")?).arg(layers))
}

/// The packed package in an empty project: its files, its types, and that importing it has no side effects.
pub fn publication() -> Result<Outcome> {
    package::build()?;
    passed(command("node").args(["--test", "tests/package/contents.test.mjs"]))
}

/// The packed package in use: in Node, in a page's workers, in every example.
pub fn installed() -> Result<Outcome> {
    if let Some(missing) = browser::missing() {
        return Ok(Outcome::Skipped(missing));
    }
    let names = [
        "node",
        "guide",
        "workers",
        "service-worker",
        "hub",
        "command-line",
        "loading",
        "aborting",
        "explaining",
        "examples",
        "bundlers",
    ];
    let tests = names.map(|name| format!("tests/package/{name}.test.mjs"));
    let mut node = browser::node()?;
    node.env("MOBILEBERT_BIN", engine::build()?);
    // On standard error, which `noting` reads.
    let report = ["--test-reporter=spec", "--test-reporter-destination=stderr"];
    // Two files at a time: npm, bundlers and browsers take turns with what they wait for.
    noting(node.args(["--test", "--test-concurrency=2"]).args(report).args(tests))
}

/// The API reference generated from the types; fails if a type, method or field has no description.
pub fn reference() -> Result<Outcome> {
    package::reference().map(|_| Outcome::Passed)
}

/// Compares the same calls through this package with transformers.js, or with stored results of
/// sentence-transformers.
pub fn peer() -> Result<Outcome> {
    package::build()?;
    setup::npm_packages("tests/transformers-js")?;
    let tests = ["pipeline", "zero-shot", "sentence-transformers"];
    let tests = tests.map(|name| format!("tests/transformers-js/{name}.test.mjs"));
    passed(command("node").arg("--test").args(tests))
}
