//! Results go to stdout, progress and notes to stderr. A closed pipe ends the program without a panic.

use std::io::{BufWriter, IsTerminal, StdoutLock, Write};
use std::ops::RangeInclusive;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mobilebert::error::{Error, Result};
use serde::Serialize;

const STANDARD_OUTPUT: &str = "standard output";
/// Characters that change the direction of text.
const TURNS: [RangeInclusive<char>; 4] =
    ['\u{61c}'..='\u{61c}', '\u{200e}'..='\u{200f}', '\u{202a}'..='\u{202e}', '\u{2066}'..='\u{2069}'];

/// Buffered standard output.
pub struct Output {
    writer: BufWriter<StdoutLock<'static>>,
}

impl Output {
    /// Locks standard output.
    pub fn new() -> Self {
        Output { writer: BufWriter::new(std::io::stdout().lock()) }
    }

    /// Writes a line.
    pub fn line(&mut self, line: &str) -> Result<()> {
        writeln!(self.writer, "{line}").map_err(failed)
    }

    /// Writes a value as one line of JSON and flushes.
    pub fn json<T: Serialize>(&mut self, value: &T) -> Result<()> {
        let line = serde_json::to_string(value).map_err(|error| failed(error.into()))?;
        self.line(&line)?;
        self.flush()
    }

    /// Writes a heading for the text at `index` of `texts`, and notes that it was truncated.
    pub fn heading(&mut self, text: &str, index: usize, texts: usize, truncated: bool) -> Result<()> {
        if texts > 1 {
            self.line(&printable(text))?;
        }
        if truncated {
            let which = if texts > 1 { format!("text {}", index + 1) } else { "the text".to_owned() };
            note(&format!("{which} was too long and was truncated"));
        }
        Ok(())
    }

    /// Flushes the buffer.
    pub fn flush(&mut self) -> Result<()> {
        self.writer.flush().map_err(failed)
    }
}

fn failed(source: std::io::Error) -> Error {
    Error::Io { file: STANDARD_OUTPUT.into(), source }
}

/// Returns whether an error is a closed pipe on standard output.
pub fn is_closed_pipe(error: &Error) -> bool {
    matches!(error, Error::Io { file, source }
        if file == STANDARD_OUTPUT && source.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Returns whether to highlight in color: on a terminal, unless `NO_COLOR` is set.
pub fn colors() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Writes a note to stderr.
pub fn note(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A progress bar on stderr; hidden unless stderr is a terminal.
pub fn progress(total: usize, unit: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr_with_hz(5));
    let template = format!("{{wide_bar}} {{pos}}/{{len}} {unit} {{elapsed}} (left: {{eta}}) {{msg}}");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    bar
}

/// Makes untrusted text safe for a terminal, on one line: white space becomes a space. Other control
/// characters become U+FFFD, and so do those that change the direction of text, which could disguise the
/// contents of a line.
pub fn printable(text: &str) -> String {
    let turns = |character: char| TURNS.iter().any(|range| range.contains(&character));
    let safe = |character: char| match character {
        character if character.is_whitespace() => ' ',
        character if character.is_control() || turns(character) => '\u{fffd}',
        character => character,
    };
    text.chars().map(safe).collect()
}

/// Formats `0.9213` as `  92.1 %`. Nothing is shown as certain or impossible.
pub fn per_cent(probability: f64) -> String {
    let value = 100.0 * probability;
    if value < 0.05 {
        " < 0.1 %".into()
    } else if value >= 99.95 {
        "> 99.9 %".into()
    } else {
        format!("{value:6.1} %")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_line_ends_do_not_reach_a_terminal() {
        assert_eq!(printable("a\u{1b}[31m\nb\tc\u{9b}é"), "a\u{fffd}[31m b c\u{fffd}é");
    }

    #[test]
    fn the_direction_of_text_cannot_be_changed() {
        for turn in TURNS.into_iter().flatten() {
            assert_eq!(printable(&format!("a{turn}b")), "a\u{fffd}b", "{turn:?}");
        }
        assert_eq!(printable("שלום 👩\u{200d}🚀"), "שלום 👩\u{200d}🚀");
    }

    #[test]
    fn no_probability_is_shown_as_certain_or_impossible() {
        let shown = [0.0, 0.000_49, 0.000_5, 0.983, 0.999_49, 0.999_51, 1.0].map(per_cent);
        let expected = [" < 0.1 %", " < 0.1 %", "   0.1 %", "  98.3 %", "  99.9 %", "> 99.9 %", "> 99.9 %"];
        assert_eq!(shown, expected);
    }

    #[test]
    fn only_a_broken_pipe_on_stdout_exits_quietly() {
        let error =
            |file: &str, kind: std::io::ErrorKind| Error::Io { file: file.into(), source: kind.into() };
        assert!(is_closed_pipe(&error(STANDARD_OUTPUT, std::io::ErrorKind::BrokenPipe)));
        assert!(!is_closed_pipe(&error(STANDARD_OUTPUT, std::io::ErrorKind::StorageFull)));
        assert!(!is_closed_pipe(&error("model.safetensors", std::io::ErrorKind::BrokenPipe)));
    }
}
