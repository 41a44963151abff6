//! Reports tests that can't run on this machine, and finds data and models that aren't in the repository.

use std::io::Write;
use std::path::{Path, PathBuf};

/// The path of `name` in the folder named by an environment variable. If it isn't set, reports that `test`
/// was not run.
pub fn required(test: &str, variable: &str, name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(variable);
    let path = folder.as_ref().map(|folder| Path::new(folder).join(name)).filter(|path| path.exists());
    if path.is_none() {
        let why = match folder {
            Some(folder) => format!("{variable} is {}, which has no {name}", folder.display()),
            None => format!("it needs {name} in the folder that {variable} names"),
        };
        not_run(test, &format!("{why}; CONTRIBUTING.md says where to get it"));
    }
    path
}

/// Writes around the test harness, which captures the output of passing tests.
pub fn not_run(what: &str, why: &str) {
    let line = format!("NOT RUN: {what}: {why}\n");
    std::io::stderr().write_all(line.as_bytes()).expect("standard error is open");
}
