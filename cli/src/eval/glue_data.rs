//! The development files of GLUE's tasks, each with its own columns.

use std::path::Path;

use clap::ValueEnum;
use mobilebert::error::{Error, Result};

use crate::input::Source;

/// A task of GLUE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Task {
    /// Linguistic acceptability
    #[value(name = "cola")]
    Cola,
    /// Sentiment of film reviews
    #[value(name = "sst-2", alias = "sst2")]
    Sst2,
    /// Paraphrases
    #[value(name = "mrpc")]
    Mrpc,
    /// Entailment
    #[value(name = "rte")]
    Rte,
    /// Similarity from 0 to 5
    #[value(name = "sts-b", alias = "stsb")]
    Stsb,
    /// A question and a sentence that may answer it
    #[value(name = "qnli")]
    Qnli,
    /// Pronoun resolution
    #[value(name = "wnli")]
    Wnli,
}

/// A text or a pair with its gold label.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// The (first) text.
    pub text: String,
    /// The second text of a pair.
    pub pair: Option<String>,
    /// Index of the class in GLUE's order, or the score for STS-B.
    pub gold: f64,
}

/// A task's file: its first line, and its columns, counted from 0.
struct Layout {
    columns: usize,
    header: Option<&'static str>,
    text: usize,
    pair: Option<usize>,
    label: usize,
}

const STSB_HEADER: &str =
    "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore";

impl Layout {
    /// Checks the first line: without a header, an example would be skipped, and in another order, columns
    /// would be mixed up.
    fn check_header(&self, line: &str) -> Result<(), String> {
        let line = line.trim_end_matches('\r');
        match self.header {
            Some(header) if line != header => {
                let columns = header.replace('\t', ", ");
                Err(format!(
                    "is not the header; this task's columns in GLUE are {columns}, separated by tabs"
                ))
            }
            _ => Ok(()),
        }
    }
}

impl Task {
    /// Names of the classes in GLUE's order, in the spellings that a model's `id2label` may use; empty for
    /// STS-B.
    pub fn classes(self) -> &'static [&'static [&'static str]] {
        match self {
            Task::Cola => &[&["unacceptable"], &["acceptable"]],
            Task::Sst2 => &[&["negative"], &["positive"]],
            Task::Mrpc => &[&["not_equivalent", "not_paraphrase"], &["equivalent", "paraphrase"]],
            Task::Rte | Task::Qnli => &[&["entailment"], &["not_entailment"]],
            Task::Wnli => &[&["not_entailment"], &["entailment"]],
            Task::Stsb => &[],
        }
    }

    fn layout(self) -> Layout {
        let layout = |columns, header, text, pair, label| Layout { columns, header, text, pair, label };
        match self {
            Task::Cola => layout(4, None, 3, None, 1),
            Task::Sst2 => layout(2, Some("sentence\tlabel"), 0, None, 1),
            Task::Mrpc => layout(5, Some("Quality\t#1 ID\t#2 ID\t#1 String\t#2 String"), 3, Some(4), 0),
            Task::Qnli => layout(4, Some("index\tquestion\tsentence\tlabel"), 1, Some(2), 3),
            Task::Rte | Task::Wnli => layout(4, Some("index\tsentence1\tsentence2\tlabel"), 1, Some(2), 3),
            Task::Stsb => layout(10, Some(STSB_HEADER), 7, Some(8), 9),
        }
    }

    fn gold(self, label: &str) -> Option<f64> {
        match self {
            Task::Stsb => label.parse().ok().filter(|score| (0.0..=5.0).contains(score)),
            Task::Rte | Task::Qnli => ["entailment", "not_entailment"]
                .iter()
                .position(|name| *name == label)
                .map(|index| index as f64),
            _ => ["0", "1"].iter().position(|name| *name == label).map(|index| index as f64),
        }
    }

    /// Reads a file. Quotation marks are part of the text, a byte-order mark isn't.
    pub fn read(self, path: &Path) -> Result<Vec<Example>> {
        let source = Source::File(path.to_owned());
        let content = source.read("text")?;
        let layout = self.layout();
        let content = content.trim_start_matches('\u{feff}');
        layout
            .check_header(content.lines().next().unwrap_or_default())
            .map_err(|problem| Error::corrupt(source.name(), format!("line 1 {problem}")))?;
        let lines = content.split_terminator('\n').enumerate();
        let examples: Vec<Example> = lines
            .skip(usize::from(layout.header.is_some()))
            .map(|(index, line)| {
                self.example(&layout, line).map_err(|problem| {
                    Error::corrupt(source.name(), format!("line {}: {problem}", index + 1))
                })
            })
            .collect::<Result<_>>()?;
        if examples.is_empty() {
            return Err(Error::corrupt(source.name(), "has no examples"));
        }
        Ok(examples)
    }

    fn example(self, layout: &Layout, line: &str) -> Result<Example, String> {
        let columns: Vec<&str> = line.trim_end_matches('\r').split('\t').collect();
        if columns.len() != layout.columns {
            return Err(format!(
                "{} columns separated by tabs, but this task has {}",
                columns.len(),
                layout.columns
            ));
        }
        let label = columns[layout.label].trim();
        let gold = self.gold(label).ok_or_else(|| format!("`{label}` isn't a label of this task"))?;
        Ok(Example {
            text: columns[layout.text].trim().to_owned(),
            pair: layout.pair.map(|column| columns[column].trim().to_owned()),
            gold,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(task: Task, content: &str) -> Result<Vec<Example>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dev.tsv");
        std::fs::write(&path, content).unwrap();
        task.read(&path)
    }

    fn example(text: &str, pair: Option<&str>, gold: f64) -> Example {
        Example { text: text.into(), pair: pair.map(str::to_owned), gold }
    }

    #[test]
    fn the_space_before_the_tab_is_removed_from_sst2() {
        let examples = read(Task::Sst2, "sentence\tlabel\nunflinchingly bleak \t0\na charm . \t1\n").unwrap();
        assert_eq!(examples, [example("unflinchingly bleak", None, 0.0), example("a charm .", None, 1.0)]);
    }

    #[test]
    fn cola_has_no_header() {
        let examples = read(Task::Cola, "gj04\t1\t\tHe left.\ncj99\t0\t*\tLeft he.\n").unwrap();
        assert_eq!(examples, [example("He left.", None, 1.0), example("Left he.", None, 0.0)]);
    }

    #[test]
    fn quotation_marks_are_part_of_the_text_and_a_byte_order_mark_is_not() {
        let content = "\u{feff}Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n1\t1\t2\t\" A .\tB \" .\r\n";
        assert_eq!(read(Task::Mrpc, content).unwrap(), [example("\" A .", Some("B \" ."), 1.0)]);
    }

    #[test]
    fn entailment_is_class_0_unless_the_file_has_digits() {
        let header = "index\tsentence1\tsentence2\tlabel\n";
        let rows = "0\ta\tb\tentailment\n1\tc\td\tnot_entailment\n";
        let expected = [example("a", Some("b"), 0.0), example("c", Some("d"), 1.0)];
        assert_eq!(read(Task::Rte, &format!("{header}{rows}")).unwrap(), expected);
        let header_of_qnli = "index\tquestion\tsentence\tlabel\n";
        assert_eq!(read(Task::Qnli, &format!("{header_of_qnli}{rows}")).unwrap(), expected);
        let digits = format!("{header}0\ta\tb\t1\n");
        assert_eq!(read(Task::Wnli, &digits).unwrap(), [example("a", Some("b"), 1.0)]);
        assert_eq!(Task::Wnli.classes()[1], ["entailment"]);
    }

    #[test]
    fn similarity_scores_are_numbers() {
        let row =
            |score: &str| format!("{STSB_HEADER}\n0\tg\tf\ty\to\tnone\tnone\tA man.\tA hat.\t{score}\n");
        assert_eq!(read(Task::Stsb, &row("4.750")).unwrap(), [example("A man.", Some("A hat."), 4.75)]);
        assert!(read(Task::Stsb, &row("nan")).is_err());
    }

    #[test]
    fn a_first_line_that_is_not_the_header_is_rejected() {
        let first = |task: Task, line: &str| read(task, &format!("{line}\n")).unwrap_err().to_string();
        for line in ["good \t1", "label\tsentence", "sentence", "sentence\tlabel\tmore"] {
            let error = first(Task::Sst2, line);
            assert!(
                error.contains("line 1 is not the header") && error.contains("sentence, label"),
                "{error}"
            );
        }
        assert!(
            first(Task::Qnli, "index\tsentence1\tsentence2\tlabel")
                .contains("index, question, sentence, label")
        );
        assert!(read(Task::Stsb, "").unwrap_err().to_string().contains("line 1"));
        assert_eq!(read(Task::Cola, "gj04\t1\t\tHe left.\n").unwrap().len(), 1);
    }

    #[test]
    fn the_error_for_an_invalid_row_names_its_line() {
        let message = |content: &str| read(Task::Sst2, content).unwrap_err().to_string();
        assert!(message("sentence\tlabel\ngood \t1\nbad\n").contains("line 3: 1 columns"));
        assert!(message("sentence\tlabel\ngood \tpositive\n").contains("line 2: `positive`"));
        assert!(message("sentence\tlabel\n").contains("no example"));
    }
}
