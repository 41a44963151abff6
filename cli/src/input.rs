//! Reads the user's input: files, standard input (`-`) and lines of text. Errors name the source.

use std::ffi::OsString;
use std::io::{IsTerminal, Read};
use std::path::PathBuf;

use mobilebert::error::{Error, Result};

/// A file, or standard input for `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `-`
    StandardInput,
    /// A path.
    File(PathBuf),
}

/// Paths need not be UTF-8.
impl From<OsString> for Source {
    fn from(argument: OsString) -> Self {
        if argument == "-" { Source::StandardInput } else { Source::File(argument.into()) }
    }
}

impl Source {
    /// Its name for error messages.
    pub fn name(&self) -> String {
        match self {
            Source::StandardInput => "standard input".into(),
            Source::File(path) => path.display().to_string(),
        }
    }

    /// Its path; `None` for standard input.
    pub fn path(&self) -> Option<PathBuf> {
        match self {
            Source::StandardInput => None,
            Source::File(path) => Some(path.clone()),
        }
    }

    /// Reads all text. `what` describes the input for the prompt on a terminal.
    pub fn read(&self, what: &str) -> Result<String> {
        let bytes = match self {
            Source::StandardInput => read_standard_input(what),
            Source::File(path) => std::fs::read(path),
        }
        .map_err(|source| Error::Io { file: self.name(), source })?;
        if bytes.starts_with(b"\x1f\x8b") {
            return Err(Error::invalid_input(self.name(), "it is compressed with gzip; decompress it first"));
        }
        String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
            Error::invalid_input(
                self.name(),
                format!("not UTF-8 at byte {at} (line {line}); convert it first, e.g. with iconv"),
            )
        })
    }

    /// Reads one text per line. A blank line is an error: skipping it would misalign results and input.
    pub fn read_lines(&self, what: &str) -> Result<Vec<String>> {
        let text = self.read(what)?;
        let lines: Vec<String> = text.trim_start_matches('\u{feff}').lines().map(str::to_owned).collect();
        if let Some(blank) = lines.iter().position(|line| line.trim().is_empty()) {
            return Err(Error::invalid_input(self.name(), format!("line {} is blank; remove it", blank + 1)));
        }
        if lines.is_empty() {
            return Err(Error::invalid_input(
                self.name(),
                format!("has no text; one {what} per line is expected"),
            ));
        }
        Ok(lines)
    }
}

fn read_standard_input(what: &str) -> std::io::Result<Vec<u8>> {
    let mut input = std::io::stdin().lock();
    if input.is_terminal() {
        crate::output::note(&format!("type the {what}, then Ctrl-D"));
    }
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Texts from the command line, a file or standard input.
#[derive(clap::Args, Clone, Debug)]
pub struct TextArguments {
    /// A text; without it, or with -, standard input is read, one text per line
    text: Option<String>,
    /// A file with one text per line
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    file: Option<Source>,
}

impl TextArguments {
    /// Where the texts come from; `None` if they are on the command line.
    pub fn source(&self) -> Option<&Source> {
        match (&self.file, self.text.as_deref()) {
            (Some(source), _) => Some(source),
            (None, None | Some("-")) => Some(&Source::StandardInput),
            (None, Some(_)) => None,
        }
    }

    /// The texts, none of them blank.
    pub fn read(&self) -> Result<Vec<String>> {
        match &self.file {
            Some(source) => source.read_lines("text"),
            None => texts(self.text.as_deref()),
        }
    }
}

impl TextArguments {
    /// The whole input as one text, line ends included.
    pub fn read_whole(&self) -> Result<String> {
        match self.source() {
            Some(source) => source.read("text"),
            None => Ok(self.text.clone().unwrap_or_default()),
        }
    }
}

/// A text from the command line; for `-` or `None`, the lines of standard input.
pub fn texts(argument: Option<&str>) -> Result<Vec<String>> {
    match argument {
        None | Some("-") => Source::StandardInput.read_lines("text"),
        Some(text) if text.trim().is_empty() => {
            Err(Error::invalid_input("text", "is empty; provide a text, or a file with --file"))
        }
        Some(text) => Ok(vec![text.to_owned()]),
    }
}

/// Adds the line of the text or question at fault to its error, if there are several.
pub fn at_line(error: Error, index: usize, lines: usize) -> Error {
    match error {
        Error::InvalidInput { field, problem }
            if lines > 1 && ["text", "question"].contains(&field.as_str()) =>
        {
            Error::InvalidInput { field, problem: format!("line {} {problem}", index + 1) }
        }
        other => other,
    }
}

/// Reads and parses a JSON file.
pub fn read_json<T: serde::de::DeserializeOwned>(path: &std::path::Path, what: &str) -> Result<T> {
    let text = Source::File(path.to_owned()).read(what)?;
    serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| Error::corrupt(path.display().to_string(), format!("not {what}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: &[u8]) -> (tempfile::TempDir, Source) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text.txt");
        std::fs::write(&path, bytes).unwrap();
        (folder, Source::File(path))
    }

    #[test]
    fn a_dash_means_standard_input() {
        assert_eq!(Source::from(OsString::from("-")), Source::StandardInput);
        assert_eq!(Source::from(OsString::from("./-")), Source::File("./-".into()));
    }

    #[test]
    fn the_error_for_invalid_utf8_names_file_byte_and_line() {
        let (_folder, source) = file(b"first\nsec\xffond");
        let error = source.read("text").unwrap_err().to_string();
        assert!(
            error.contains("text.txt") && error.contains("byte 9") && error.contains("line 2"),
            "{error}"
        );
    }

    #[test]
    fn line_endings_and_a_byte_order_mark_are_removed() {
        let (_folder, source) = file("\u{feff} one \r\ntwo\n".as_bytes());
        assert_eq!(source.read_lines("text").unwrap(), [" one ", "two"]);
    }

    #[test]
    fn a_blank_line_and_an_empty_file_are_rejected() {
        let (_folder, source) = file(b"one\n \nthree\n");
        assert!(source.read_lines("text").unwrap_err().to_string().contains("line 2"));
        let (_folder, source) = file(b"");
        assert!(source.read_lines("text").unwrap_err().to_string().contains("no text"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let source = Source::File("/nowhere/passage.txt".into());
        assert!(source.read("text").unwrap_err().to_string().contains("/nowhere/passage.txt"));
    }
}
