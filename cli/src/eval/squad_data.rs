//! Files in the format of SQuAD v1.1 and v2.0.

use std::collections::HashSet;
use std::path::Path;

use mobilebert::error::{Error, Result};
use mobilebert::task::metrics::token_f1;
use serde::Deserialize;

use crate::input::read_json;

/// The content of a file.
#[derive(Deserialize)]
pub struct DataSet {
    #[serde(default)]
    version: Option<serde_json::Value>,
    data: Vec<Article>,
}

#[derive(Deserialize)]
struct Article {
    paragraphs: Vec<Paragraph>,
}

#[derive(Deserialize)]
struct Paragraph {
    context: String,
    qas: Vec<Question>,
}

/// A question with its gold answers.
#[derive(Deserialize)]
pub struct Question {
    /// Its id, the key of a predictions file.
    pub id: String,
    /// The question.
    pub question: String,
    #[serde(default)]
    answers: Vec<Answer>,
    /// v2.0: true if the passage doesn't answer it.
    #[serde(default)]
    pub is_impossible: bool,
}

#[derive(Deserialize)]
struct Answer {
    text: String,
}

/// A question and its passage.
pub struct Example<'a> {
    /// The passage.
    pub context: &'a str,
    /// The question.
    pub question: &'a Question,
}

impl Question {
    /// The correct answers; empty if the question is impossible.
    pub fn gold(&self) -> Vec<String> {
        self.answers.iter().map(|answer| answer.text.clone()).collect()
    }

    /// Returns whether the F1 of `answer` with a correct answer is at least one half.
    pub fn is_right(&self, answer: &str) -> bool {
        self.answers.iter().any(|gold| token_f1(answer, &gold.text, false) >= 0.5)
    }
}

impl Example<'_> {
    /// The error for a passage or a question that consists only of white space and the like.
    pub fn without_text(&self, file: &Path, is_passage: bool) -> Error {
        let what = if is_passage { "passage" } else { "question" };
        let problem = format!("question `{}`: its {what} has no text", self.question.id);
        Error::corrupt(file.display().to_string(), problem)
    }

    /// Adds the question's id to an error about the text of its windows.
    pub fn at_fault(&self, file: &Path, error: Error) -> Error {
        match &error {
            Error::InvalidInput { field, .. } if field == "context" => self.without_text(file, true),
            Error::InvalidInput { field, .. } if field == "question" => self.without_text(file, false),
            _ => error,
        }
    }
}

impl DataSet {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self> {
        let set: DataSet = read_json(path, "a SQuAD file")?;
        if set.examples().next().is_none() {
            return Err(Error::corrupt(path.display().to_string(), "a SQuAD file without questions"));
        }
        let mut ids = HashSet::new();
        for Example { context, question } in set.examples() {
            let blank = |text: &str| text.trim().is_empty();
            if blank(context) || blank(&question.question) {
                return Err(Example { context, question }.without_text(path, blank(context)));
            }
            if !ids.insert(question.id.as_str()) {
                let problem = format!("two questions have the id `{}`; ids have to differ", question.id);
                return Err(Error::corrupt(path.display().to_string(), problem));
            }
        }
        Ok(set)
    }

    /// Returns whether it is version 2.0, according to its `version` or its questions.
    pub fn has_impossible_questions(&self) -> bool {
        let stated = self.version.as_ref().and_then(|version| version.as_str()).unwrap_or_default();
        stated.trim_start_matches('v').starts_with('2')
            || self.examples().any(|example| example.question.is_impossible)
    }

    /// All questions in the file's order.
    pub fn examples(&self) -> impl Iterator<Item = Example<'_>> {
        let paragraphs = self.data.iter().flat_map(|article| &article.paragraphs);
        paragraphs.flat_map(|paragraph| {
            paragraph.qas.iter().map(|question| Example { context: &paragraph.context, question })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<DataSet> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dev.json");
        std::fs::write(&path, json).unwrap();
        DataSet::read(&path)
    }

    const ONE: &str = r#"{"version": "1.1", "data": [{"title": "t", "paragraphs": [{"context": "A b.", "qas": [
        {"id": "x", "question": "What?", "answers": [{"answer_start": 2, "text": "b"}]}]}]}]}"#;

    #[test]
    fn questions_come_with_their_passage_and_gold_answers() {
        let set = read(ONE).unwrap();
        let examples: Vec<_> = set.examples().collect();
        assert_eq!(examples.len(), 1);
        assert_eq!(examples[0].context, "A b.");
        assert_eq!(examples[0].question.gold(), ["b"]);
        assert!(!set.has_impossible_questions());
    }

    #[test]
    fn version_2_is_recognized_by_its_version_or_its_questions() {
        assert!(read(&ONE.replace("\"1.1\"", "\"v2.0\"")).unwrap().has_impossible_questions());
        let impossible = ONE.replace("\"id\": \"x\"", "\"id\": \"x\", \"is_impossible\": true");
        assert!(read(&impossible).unwrap().has_impossible_questions());
    }

    #[test]
    fn two_questions_with_one_id_are_rejected() {
        let question = &ONE[ONE.find("{\"id\"").unwrap()..ONE.find("]}]}]}").unwrap() + 2];
        let twice = ONE.replace(question, &format!("{question}, {question}"));
        assert!(read(&twice).err().unwrap().to_string().contains("two questions have the id `x`"));
        assert!(read(&twice.replacen("\"x\"", "\"y\"", 1)).is_ok());
    }

    #[test]
    fn missing_fields_are_named() {
        let message = |json: &str| read(json).err().unwrap().to_string();
        assert!(message(&ONE.replace("\"context\"", "\"text\"")).contains("missing field `context`"));
        assert!(message("<html>").contains("dev.json"));
        assert!(message("{\"data\": []}").contains("without questions"));
    }
}
