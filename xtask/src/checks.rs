//! `cargo xtask test`: runs every check and reports its result and time.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::outcome::{Outcome, noting, passed, summary};
use crate::process::{cargo, command, root, run as run_command, run_noting, target};
use crate::{browser, gpu_kit, package, pages, python, setup, size, wasm};

/// One row of the result.
struct Check {
    name: &'static str,
    run: fn() -> Result<Outcome>,
}

const CHECKS: &[Check] = &[
    Check { name: "rust: format", run: format },
    Check { name: "rust: clippy", run: clippy },
    Check { name: "rust: clippy, wasm32", run: clippy_wasm },
    Check {
        name: "rust: documentation",
        run: || {
            passed(
                cargo()
                    .args(["doc", "--quiet", "--no-deps", "--package=mobilebert", "--lib"])
                    .env("RUSTDOCFLAGS", "--deny=warnings"),
            )
        },
    },
    Check { name: "rust: what cargo publishes", run: crates },
    Check { name: "rust: tests (GPU: software Vulkan)", run: rust_tests },
    Check {
        name: "rust: tests of the commands",
        run: || passed(cargo().args(["test", "--quiet", "--package=xtask"])),
    },
    Check { name: BUILD, run: || pages::build().and_then(|()| size::report()).map(|()| Outcome::Passed) },
    Check { name: "package: unit tests", run: package_tests },
    Check { name: "javascript: types", run: types },
    Check { name: "javascript: lint", run: lint },
    Check { name: "package: what npm publishes", run: publication },
    Check { name: "package: Node, workers, examples", run: installed_package },
    Check { name: REFERENCE, run: reference },
    Check { name: PEER, run: peer },
    Check { name: BROWSERS, run: browsers },
    Check { name: "python: lint", run: python_lint },
    Check { name: "workflows: lint", run: workflow_lint },
    Check { name: TRAINING, run: training_tests },
    Check { name: KIT, run: gpu_kit::dry_run::run },
];

const BUILD: &str = "package: build and size";
const REFERENCE: &str = "package: API reference";
const PEER: &str = "package: against transformers.js";
const BROWSERS: &str = "browsers: Chromium and Firefox";
const TRAINING: &str = "python: training tests";
const KIT: &str = "gpu kit: dry run";
/// Left out by `--skip-training`.
const NEED_PYTORCH: [&str; 2] = [TRAINING, KIT];

/// Prepares part of what a check needs; does nothing if it is already there.
type Preparation = fn() -> Result<()>;

/// Preparations by check, started in the background in this order. The installations keep the network and the disk busy
/// for minutes while the first checks keep the processor busy. If one fails, the check tries again and reports the error.
const INSTALLATIONS: &[(&str, Preparation)] = &[
    (BROWSERS, || {
        browser::missing();
        setup::npm_packages("tests/browser")
    }),
    (REFERENCE, || setup::npm_packages("pkg/reference")),
    (PEER, || setup::npm_packages("tests/transformers-js")),
    (TRAINING, || python::training().map(drop)),
];

/// Optimizing and linking the wasm module keeps one core busy for minutes; the first checks use the others.
const BUILDS: &[(&str, Preparation)] = &[(BUILD, wasm::build)];

/// Runs the checks and prints a table; the exit code says whether all that ran passed.
pub fn run(skip_training: bool, only: &[String]) -> Result<ExitCode> {
    let chosen = select(only)?;
    let wanted = |name: &str| chosen.iter().any(|check| check.name == name);
    for preparations in [INSTALLATIONS, BUILDS] {
        let wanted: Vec<_> = preparations
            .iter()
            .filter(|(name, _)| wanted(name) && !(skip_training && NEED_PYTORCH.contains(name)))
            .map(|(_, prepare)| prepare)
            .collect();
        std::thread::spawn(move || wanted.into_iter().for_each(|prepare| drop(prepare())));
    }
    let start = Instant::now();
    let mut rows = Vec::new();
    for check in chosen {
        println!("\n=== {}", check.name);
        let start = Instant::now();
        let outcome = if skip_training && NEED_PYTORCH.contains(&check.name) {
            Ok(Outcome::Skipped("--skip-training".to_owned()))
        } else {
            (check.run)()
        };
        if let Err(error) = &outcome {
            println!("failed: {error:#}");
        }
        rows.push((check.name, outcome, start.elapsed()));
    }
    Ok(summary(&rows, start.elapsed()))
}

/// The checks whose names contain one of the words, ignoring case; all of them if there are no words.
fn select(only: &[String]) -> Result<Vec<&'static Check>> {
    let named = |word: &String, check: &Check| check.name.to_lowercase().contains(&word.to_lowercase());
    // A word that matches nothing is a typo, even if another word matches.
    if let Some(word) = only.iter().find(|word| !CHECKS.iter().any(|check| named(word, check))) {
        bail!("no check has \"{word}\" in its name; there are: {}", names().join("; "));
    }
    let wanted = |check: &&Check| only.is_empty() || only.iter().any(|word| named(word, check));
    Ok(CHECKS.iter().filter(wanted).collect())
}

fn names() -> Vec<&'static str> {
    CHECKS.iter().map(|check| check.name).collect()
}

/// The names of the checks, for `test --help`.
pub fn help() -> String {
    format!("Checks:\n  {}", names().join("\n  "))
}

fn format() -> Result<Outcome> {
    if let Some(missing) = setup::missing_rust_component("rustfmt", "fmt") {
        return Ok(Outcome::Skipped(missing));
    }
    passed(cargo().args(["fmt", "--all", "--check"]))
}

fn clippy() -> Result<Outcome> {
    if let Some(missing) = setup::missing_rust_component("clippy", "clippy") {
        return Ok(Outcome::Skipped(missing));
    }
    let arguments = ["--quiet", "--workspace", "--all-targets", "--", "--deny=warnings"];
    passed(cargo().arg("clippy").args(arguments))
}

fn clippy_wasm() -> Result<Outcome> {
    if let Some(missing) = setup::missing_rust_component("clippy", "clippy") {
        return Ok(Outcome::Skipped(missing));
    }
    setup::wasm_target("wasm32-unknown-unknown")?;
    let clippy = |package: &str, features: &[&str], options: &[&str]| {
        let arguments = ["--quiet", "--lib", "--target=wasm32-unknown-unknown", "--package", package];
        let mut clippy = cargo();
        clippy.arg("clippy").args(arguments).args(features);
        run_command(clippy.args(["--", "--deny=warnings"]).args(options))
    };
    clippy("mobilebert", &[], &[])?;
    clippy("mobilebert", &["--features=benchmark"], &[])?;
    clippy("mobilebert-relaxed", &[], &["-Ctarget-feature=+relaxed-simd"])?;
    Ok(Outcome::Passed)
}

/// Packs the crates: warnings report missing metadata, or a target whose file isn't packed.
fn crates() -> Result<Outcome> {
    let mut package = cargo();
    package.args([
        "package",
        "--package=mobilebert",
        "--package=mobilebert-compute",
        "--package=mobilebert-cli",
    ]);
    // Offline: earlier checks have downloaded everything this needs.
    let warnings = run_noting(package.args(["--no-verify", "--allow-dirty", "--offline"]), "warning:")?;
    if !warnings.is_empty() {
        bail!("{}", warnings.join("; "));
    }
    Ok(Outcome::Passed)
}

fn rust_tests() -> Result<Outcome> {
    // Without xtask: packages tested together share features, so this running program would be rebuilt.
    let mut tests = cargo();
    tests.args([
        "test",
        "--package=mobilebert",
        "--package=mobilebert-compute",
        "--package=mobilebert-cli",
        "--no-fail-fast",
    ]);
    setup::system_packages(&[&setup::SOFTWARE_VULKAN]);
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // Without this folder, the Vulkan loader prints a warning in every process that looks like a failure.
        let folder = target().join("runtime");
        std::fs::create_dir_all(&folder)?;
        tests.env("XDG_RUNTIME_DIR", folder);
    }
    match setup::software_vulkan() {
        // There is an adapter, so a GPU test that doesn't find one indicates a bug.
        Some(manifest) => drop(tests.env("VK_DRIVER_FILES", manifest).env("MOBILEBERT_GPU", "require")),
        None => println!(
            "no software Vulkan: GPU tests use the machine's own adapter, or report that there is none"
        ),
    }
    noting(&mut tests)
}

/// The package's unit tests, bundled like the package and run by Node.
fn package_tests() -> Result<Outcome> {
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
    run_command(&mut bundle)?;
    let layers = root().join("tests/package/layers.test.mjs");
    passed(command("node").arg("--test").args(size::with_extension(&folder, "mjs")?).arg(layers))
}

fn types() -> Result<Outcome> {
    package::build()?;
    setup::npm_packages("tests/browser")?;
    let tsc = || command(setup::npm_program("pkg", "tsc"));
    run_command(tsc().args(["--noEmit", "--project", "pkg/tsconfig.json"]))?;
    run_command(tsc().args(["--project", "pkg/test/tsconfig.json"]))?;
    run_command(tsc().args(["--project", "www/tsconfig.json"]))?;
    passed(tsc().args(["--project", "www/offline/tsconfig.json"]))
}

fn lint() -> Result<Outcome> {
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

/// The packed package in an empty project: its files, its types, and that importing it has no side effects.
fn publication() -> Result<Outcome> {
    package::build()?;
    passed(command("node").args(["--test", "tests/package/contents.test.mjs"]))
}

/// The packed package in use: in Node, in a page's workers, in every example.
fn installed_package() -> Result<Outcome> {
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
    // On standard error, which `noting` reads.
    let report = ["--test-reporter=spec", "--test-reporter-destination=stderr"];
    noting(node.args(["--test", "--test-concurrency=1"]).args(report).args(tests))
}

/// The API reference generated from the types; fails if a type, method or field has no description.
fn reference() -> Result<Outcome> {
    package::reference().map(|_| Outcome::Passed)
}

/// Compares the same calls through this package with transformers.js, or with stored results of
/// sentence-transformers.
fn peer() -> Result<Outcome> {
    package::build()?;
    setup::npm_packages("tests/transformers-js")?;
    let tests = ["pipeline", "zero-shot", "sentence-transformers"];
    let tests = tests.map(|name| format!("tests/transformers-js/{name}.test.mjs"));
    passed(command("node").arg("--test").args(tests))
}

fn browsers() -> Result<Outcome> {
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
    // Two files at a time: each spends much of its time waiting for a browser to start and for pages to load.
    passed(node.args(["--test", "--test-concurrency=2"]).args(tests))
}

fn python_lint() -> Result<Outcome> {
    if let Some(missing) = python::missing() {
        return Ok(Outcome::Skipped(missing));
    }
    passed(command(python::lint()?).args(["-m", "ruff", "check", "training", "tests", "bench"]))
}

/// Lints GitHub's workflows. The linter is a binary that its package contains, and not every platform has one.
fn workflow_lint() -> Result<Outcome> {
    if let Some(missing) = python::missing() {
        return Ok(Outcome::Skipped(missing));
    }
    match python::workflows() {
        Ok(python) => passed(&mut command(python.with_file_name("actionlint"))),
        Err(error) => Ok(Outcome::Skipped(format!("missing: actionlint, from PyPI ({error:#})"))),
    }
}

fn training_tests() -> Result<Outcome> {
    if let Some(missing) = python::missing() {
        return Ok(Outcome::Skipped(missing));
    }
    // The tests run the recipe's exports in the engine, which the Rust tests have already built.
    run_command(cargo().args(["build", "--quiet", "--package=mobilebert-cli"]))?;
    let engine = target().join("debug").join(format!("mobilebert{}", std::env::consts::EXE_SUFFIX));
    let mut tests = command(python::training()?);
    // Models this small gain nothing from threads, but test files can run in parallel.
    tests.env("MOBILEBERT_BIN", engine).env("OMP_NUM_THREADS", "1");
    passed(tests.args(["-m", "pytest", "--quiet", "-n", "2", "--dist", "loadfile", "training/tests"]))
}

#[cfg(test)]
mod tests {
    use super::{CHECKS, select};

    fn chosen(words: &[&str]) -> Result<Vec<&'static str>, String> {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        let checks = select(&words).map_err(|error| error.to_string())?;
        Ok(checks.iter().map(|check| check.name).collect())
    }

    #[test]
    fn words_select_checks_ignoring_case() {
        assert_eq!(chosen(&[]).map(|names| names.len()), Ok(CHECKS.len()));
        assert_eq!(chosen(&["gpu"]), Ok(vec!["rust: tests (GPU: software Vulkan)", "gpu kit: dry run"]));
        assert_eq!(chosen(&["API", "rust: FORMAT"]), Ok(vec!["rust: format", "package: API reference"]));
    }

    #[test]
    fn a_word_that_matches_no_check_is_an_error_that_lists_them() {
        let error = chosen(&["rust", "nonsense"]).expect_err("no check matches");
        assert!(
            error.starts_with("no check has \"nonsense\" in its name; there are: rust: format; "),
            "{error}"
        );
        assert!(CHECKS.iter().all(|check| error.contains(check.name)), "{error}");
    }
}
