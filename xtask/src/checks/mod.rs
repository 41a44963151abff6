//! `cargo xtask test`: the checks, in the order in which they run and are reported.

mod background;
mod javascript;
mod package;
mod python;
mod rust;
mod schedule;

use anyhow::{Result, bail};

use crate::outcome::Outcome;
use crate::{browser, gpu_kit, setup, wasm};

pub use background::run_one;
pub use schedule::run;

/// One row of the result.
struct Check {
    name: &'static str,
    run: fn() -> Result<Outcome>,
}

const CHECKS: &[Check] = &[
    Check { name: "rust: format", run: rust::format },
    Check { name: "rust: clippy", run: rust::clippy },
    Check { name: "rust: clippy, wasm32", run: rust::clippy_wasm },
    Check { name: "rust: documentation", run: rust::documentation },
    Check { name: "rust: what cargo publishes", run: rust::publication },
    Check { name: "rust: tests (GPU: software Vulkan)", run: rust::tests },
    Check { name: "rust: tests of the commands", run: rust::tests_of_commands },
    Check { name: BUILD, run: package::build },
    Check { name: "package: unit tests", run: package::unit_tests },
    Check { name: "javascript: types", run: javascript::types },
    Check { name: "javascript: lint", run: javascript::lint },
    Check { name: "package: what npm publishes", run: package::publication },
    Check { name: PACKAGE, run: package::installed },
    Check { name: REFERENCE, run: package::reference },
    Check { name: PEER, run: package::peer },
    Check { name: BROWSERS, run: javascript::browsers },
    Check { name: PYTHON_LINT, run: python::lint },
    Check { name: WORKFLOWS, run: python::workflow_lint },
    Check { name: TRAINING, run: python::training_tests },
    Check { name: KIT, run: gpu_kit::dry_run::run },
];

const BUILD: &str = "package: build and size";
const PACKAGE: &str = "package: Node, workers, examples";
const REFERENCE: &str = "package: API reference";
const PEER: &str = "package: against transformers.js";
const BROWSERS: &str = "browsers: Chromium and Firefox";
const PYTHON_LINT: &str = "python: lint";
const WORKFLOWS: &str = "workflows: lint";
const TRAINING: &str = "python: training tests";
const KIT: &str = "gpu kit: dry run";

/// Left out by `--skip-training`.
const NEED_PYTORCH: [&str; 2] = [TRAINING, KIT];

/// These often wait: for browsers to start, for pages to load, for packages to be installed.
const WAITING: [&str; 2] = [PACKAGE, BROWSERS];
/// These run in the background meanwhile, one after the other.
const BACKGROUND: [&str; 2] = [TRAINING, KIT];

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
    (PYTHON_LINT, || crate::python::lint().map(drop)),
    (WORKFLOWS, || crate::python::workflows().map(drop)),
    (TRAINING, || crate::python::training().map(drop)),
    (KIT, || {
        setup::system_packages(&[&setup::SOFTWARE_VULKAN]);
        crate::python::training().map(drop)
    }),
];

/// Optimizing and linking the wasm module keeps one core busy for minutes; the first checks use the others.
const BUILDS: &[(&str, Preparation)] = &[(BUILD, wasm::build)];

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

#[cfg(test)]
mod tests {
    use super::{BACKGROUND, CHECKS, WAITING, names, select};

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

    #[test]
    fn checks_that_run_in_the_background_are_reported_after_those_that_wait() {
        let place = |name: &str| names().iter().position(|found| *found == name);
        let last = WAITING.iter().map(|name| place(name)).max();
        assert!(BACKGROUND.iter().all(|name| place(name).is_some() && Some(place(name)) > last));
    }
}
