//! Checks that run in the background. Each is run by another process of this program, so that its output can be kept apart.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use super::schedule::prepared;
use super::{CHECKS, Check};
use crate::outcome::Outcome;
use crate::process::{command, find, target};

/// The outcome, or its error's text.
type Report = std::result::Result<Outcome, String>;

/// Checks that are run one after the other.
pub struct Background {
    names: Vec<&'static str>,
    ended: Receiver<(Result<Outcome>, Duration)>,
}

impl Background {
    /// Starts them.
    pub fn start(checks: Vec<&'static Check>) -> Self {
        let names = checks.iter().map(|check| check.name).collect();
        let (send, ended) = channel();
        std::thread::spawn(move || {
            for check in checks {
                // Here rather than in the other process, which doesn't know what this one is installing.
                prepared(check);
                let start = Instant::now();
                let outcome = run(check.name);
                if send.send((outcome, start.elapsed())).is_err() {
                    return;
                }
            }
        });
        Self { names, ended }
    }

    pub fn runs(&self, name: &str) -> bool {
        self.names.contains(&name)
    }

    /// Waits for a check, prints its output, and returns its outcome and time. Checks have to be waited for in the order in
    /// which they were started.
    pub fn wait(&self, name: &str) -> (Result<Outcome>, Duration) {
        let ended = self.ended.recv();
        match fs::read_to_string(output(name)) {
            Ok(printed) => print!("{printed}"),
            Err(error) => println!("{}: {error}", output(name).display()),
        }
        ended.unwrap_or_else(|_| (Err(anyhow!("{name} was not run")), Duration::ZERO))
    }
}

/// Runs a check in another process.
fn run(name: &str) -> Result<Outcome> {
    let (output, report) = (output(name), file(name, "json"));
    fs::create_dir_all(folder())?;
    if report.exists() {
        fs::remove_file(&report)?;
    }
    let printed = File::create(&output).with_context(|| output.display().to_string())?;
    let program = std::env::current_exe().context("finding this program's path")?;
    let mut check = polite(&program);
    check.arg("check").arg(name).arg(&report);
    let status = check
        .stdin(Stdio::null())
        .stdout(printed.try_clone()?)
        .stderr(printed)
        .status()
        .context(name.to_owned())?;
    let report = fs::read(&report).with_context(|| format!("{name} ended without a result ({status})"))?;
    serde_json::from_slice::<Report>(&report)?.map_err(|error| anyhow!(error))
}

/// A program that leaves the processor to others where the system can do that.
fn polite(program: &Path) -> Command {
    let Some(nice) = find("nice") else { return command(program) };
    let mut nice = command(nice);
    nice.args(["-n", "10"]).arg(program);
    nice
}

/// Runs one check and writes its outcome to a file.
pub fn run_one(name: &str, report: &Path) -> Result<ExitCode> {
    let check = CHECKS.iter().find(|check| check.name == name).with_context(|| name.to_owned())?;
    let outcome: Report = (check.run)().map_err(|error| format!("{error:#}"));
    fs::write(report, serde_json::to_vec(&outcome)?)?;
    Ok(ExitCode::SUCCESS)
}

fn folder() -> PathBuf {
    target().join("checks")
}

fn output(name: &str) -> PathBuf {
    file(name, "log")
}

fn file(name: &str, extension: &str) -> PathBuf {
    folder().join(name.replace([':', ' '], "-")).with_extension(extension)
}
