//! `answer`: questions about a passage.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use mobilebert::config::Head;
use mobilebert::error::Result;
use mobilebert::model::{AskOptions, QuestionAnswering, Reply};
use mobilebert::task::question_answering::{Merge, Verdict};
use serde::Serialize;

use crate::arguments::{ShippedModelArguments, WindowArguments, max_answer_tokens};
use crate::highlight::in_sentence;
use crate::input::{Source, at_line};
use crate::output::{Output, colors, per_cent, progress};

/// Arguments of `answer`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ShippedModelArguments,
    /// The question
    #[arg(long, value_name = "Q", required_unless_present = "questions")]
    question: Option<String>,
    /// A file with one question per line, or - for standard input; answers are printed as one JSON object per line
    #[arg(long, value_name = "FILE", conflicts_with = "question")]
    questions: Option<Source>,
    /// The passage: a file, or - for standard input
    #[arg(long, value_name = "FILE", default_value = "-")]
    context: Source,
    /// Number of answers, best first
    #[arg(long, value_name = "N", default_value = "1")]
    top_k: NonZeroUsize,
    /// Maximum length of an answer in tokens
    #[arg(long, value_name = "N", default_value_t = max_answer_tokens())]
    max_answer_tokens: NonZeroUsize,
    /// List overlapping spans as separate answers
    #[arg(long)]
    all_spans: bool,
    /// Answers as the tokenizer splits the passage ("300"), without extending them to whole words ("300km")
    #[arg(long)]
    part_words: bool,
    /// One line of JSON instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    windows: WindowArguments,
}

/// A line of `--questions`.
#[derive(Serialize)]
struct Answered<'a> {
    question: &'a str,
    #[serde(flatten)]
    reply: Reply,
}

impl Arguments {
    /// Reads the passage, loads the model and prints the answers.
    pub fn run(self) -> Result<()> {
        if self.questions == Some(Source::StandardInput) && self.context == Source::StandardInput {
            let problem = "the passage and the questions can't both come from standard input";
            return Err(mobilebert::error::Error::invalid_input("context", problem));
        }
        let questions = match (&self.questions, &self.question) {
            (Some(file), _) => file.read_lines("question")?,
            (None, question) => question.iter().cloned().collect(),
        };
        let context = self.context.read("passage")?;
        let mut model =
            QuestionAnswering::new(self.model.open("mobilebert-squad", Head::QuestionAnswering)?)?;
        let mut output = Output::new();
        for (index, question) in questions.iter().enumerate() {
            let reply = pollster::block_on(self.ask(&mut model, question, &context))
                .map_err(|error| at_line(error, index, questions.len()))?;
            if self.questions.is_some() {
                output.json(&Answered { question, reply })?;
            } else if self.json {
                output.json(&reply)?;
            } else {
                print(&reply, &context, &mut output)?;
            }
        }
        output.flush()
    }

    async fn ask(&self, model: &mut QuestionAnswering, question: &str, context: &str) -> Result<Reply> {
        let options = AskOptions {
            top_k: self.top_k.get(),
            max_answer_tokens: self.max_answer_tokens.get(),
            max_length: self.windows.max_length.get(),
            doc_stride: self.windows.doc_stride.get(),
            max_question_tokens: self.windows.max_question.get(),
            merge: if self.all_spans { Merge::EqualTexts } else { Merge::default() },
            align_to_words: !self.part_words,
            ..AskOptions::default()
        };
        let bar = progress(0, "windows");
        let reply = model.ask_with(question, context, &options, async |done| {
            bar.set_length(done.windows_total as u64);
            bar.set_position(done.windows_done as u64);
            ControlFlow::Continue(())
        });
        let reply = reply.await;
        bar.finish_and_clear();
        reply
    }
}

/// Prints each answer in its sentence; if there is none, or only a guess, a line before them says so.
fn print(reply: &Reply, context: &str, output: &mut Output) -> Result<()> {
    match reply.verdict {
        Verdict::Answer => {}
        Verdict::Unsure => output.line("(not sure, best guess:)")?,
        Verdict::NoAnswer => {
            output.line(&format!("{}  (the passage doesn't say)", per_cent(reply.no_answer.probability)))?;
        }
    }
    for answer in &reply.answers {
        let sentence = in_sentence(context, answer.start_byte..answer.end_byte, colors());
        output.line(&format!("{}  {sentence}", per_cent(answer.probability)))?;
    }
    if reply.truncated {
        crate::output::note("the question was too long and was truncated (see --max-question)");
    }
    Ok(())
}
