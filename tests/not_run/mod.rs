//! Says by name what a test could not do on this machine.

use std::io::Write;

/// Written past the test harness, which would swallow what a passing test prints.
pub fn not_run(what: &str, why: &str) {
    let line = format!("NOT RUN: {what}: {why}\n");
    std::io::stderr().write_all(line.as_bytes()).expect("standard error is open");
}
