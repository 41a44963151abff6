//! Runs the built command.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The checkout's root.
pub const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What a finished process left.
#[derive(Debug)]
pub struct Ran {
    /// Exit code; none after a signal.
    pub code: Option<i32>,
    /// All of it, as UTF-8.
    pub stdout: String,
    /// All of it, as UTF-8.
    pub stderr: String,
}

/// The command with neither terminal nor input.
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
    // A process that fails early closes its end; that is not what is tested here.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Ran::of(output)
}

impl Ran {
    fn of(output: Output) -> Self {
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Exit code 0; what stands on stdout.
    #[track_caller]
    pub fn done(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self.stdout
    }

    /// Exit code 0; the lines of stdout, each JSON.
    #[track_caller]
    pub fn json_lines(self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.done().lines().map(parse).collect()
    }

    /// Exit code 0; the only line of stdout as JSON.
    #[track_caller]
    pub fn json(self) -> Value {
        let mut lines = self.json_lines();
        assert_eq!(lines.len(), 1);
        lines.remove(0)
    }

    /// Exit code 1, nothing on stdout, one line on stderr that names every one of `words`; no backtrace, no debug form.
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
            assert!(!line.contains(debug), "`{debug}` stands in: {line}");
        }
        line
    }
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
