//! Runs the built command.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The checkout's root.
pub const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The result of a process.
#[derive(Debug)]
pub struct Ran {
    /// Exit code; `None` after a signal.
    pub code: Option<i32>,
    /// The whole output, as UTF-8.
    pub stdout: String,
    /// The whole output, as UTF-8.
    pub stderr: String,
}

/// The command, without a terminal or input.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mobilebert"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs to the end.
pub fn mobilebert(arguments: &[&str]) -> Ran {
    Ran::of(command(arguments).output().unwrap())
}

/// Runs to the end with `input` on stdin.
pub fn mobilebert_reading(arguments: &[&str], input: &[u8]) -> Ran {
    let mut child = command(arguments).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // Ignores errors: a process that fails early closes its end of the pipe.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Ran::of(output)
}

impl Ran {
    /// The result of a finished process.
    pub fn of(output: Output) -> Self {
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Checks for exit code 0; returns stdout.
    #[track_caller]
    pub fn done(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self.stdout
    }

    /// Checks for exit code 0; returns the lines of stdout, each parsed as JSON.
    #[track_caller]
    pub fn json_lines(self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.done().lines().map(parse).collect()
    }

    /// Checks for exit code 0; returns the only line of stdout, parsed as JSON.
    #[track_caller]
    pub fn json(self) -> Value {
        let mut lines = self.json_lines();
        assert_eq!(lines.len(), 1);
        lines.remove(0)
    }

    /// Checks for exit code 1, nothing on stdout, and one line on stderr with all of `words`, without backtrace or debug
    /// output.
    #[track_caller]
    pub fn failed(self, words: &[&str]) -> String {
        assert_eq!(self.code, Some(1), "{self:?}");
        assert_eq!(self.stdout, "", "results of a failed command");
        let line = self.stderr.strip_suffix('\n').unwrap_or_default().to_owned();
        assert!(line.starts_with("mobilebert: ") && !line.contains('\n'), "not one line: {:?}", self.stderr);
        for word in words {
            assert!(line.contains(word), "`{word}` is missing in: {line}");
        }
        for debug in ["panicked", "RUST_BACKTRACE", "Some(", "Err(", " { "] {
            assert!(!line.contains(debug), "`{debug}` is in: {line}");
        }
        line
    }
}

/// A path as text.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
