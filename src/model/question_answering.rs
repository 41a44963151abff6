//! Questions over texts of any length.

use std::ops::ControlFlow;

use serde::Serialize;

use super::pace::Pace;
use super::{Model, Timing, output};
use crate::clock::now_ms;
use crate::config::Head;
use crate::error::{Error, Result};
use crate::session::{DeviceKind, DeviceReport, Outputs, Sequence};
use crate::task::question_answering::{Answers, Search, SearchOptions};
use crate::task::relevance;
use crate::text::windows::{Window, WindowOptions, Windows};

/// How a question is asked. The defaults are those of BERT's SQuAD runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskOptions {
    /// How many answers to list.
    pub top_k: usize,
    /// Longest answer in tokens.
    pub max_answer_tokens: usize,
    /// Tokens a window, question included; cut to what the model takes.
    pub max_length: usize,
    /// Tokens from one window's start to the next one's.
    pub doc_stride: usize,
    /// Longest question in tokens; the rest is cut and said so.
    pub max_question_tokens: usize,
    /// Stop after so many windows, and say so.
    pub max_windows: Option<usize>,
}

impl Default for AskOptions {
    fn default() -> Self {
        let (windows, search) = (WindowOptions::default(), SearchOptions::default());
        AskOptions {
            top_k: search.top_k,
            max_answer_tokens: search.max_answer_tokens,
            max_length: windows.max_length,
            doc_stride: windows.doc_stride,
            max_question_tokens: windows.max_question,
            max_windows: None,
        }
    }
}

/// The answers to a question.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reply {
    /// Answers and the null answer.
    #[serde(flatten)]
    pub answers: Answers,
    /// Windows read; fewer than `windows` where `max_windows` or the caller stopped the reading.
    pub windows_done: usize,
    /// Whether something was not read: the question's end, or windows.
    pub truncated: bool,
    /// Milliseconds.
    pub timing: Timing,
}

/// How far a long text has been read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Progress {
    /// The best of what has been read.
    #[serde(flatten)]
    pub answers: Answers,
    /// Windows read.
    pub windows_done: usize,
    /// Windows in all.
    pub windows_total: usize,
}

/// A model with a question-answering head.
pub struct QuestionAnswering {
    model: Model,
    pace: Pace,
}

impl QuestionAnswering {
    /// Takes a model.
    ///
    /// # Errors
    /// Where its head is another, or it has no tokenizer.
    pub fn new(model: Model) -> Result<Self> {
        model.expect_head("question answering", |head| head == Head::QuestionAnswering)?;
        model.tokenizer()?;
        Ok(QuestionAnswering { model, pace: Pace::default() })
    }

    /// Opens a directory; see [`Model::open`].
    ///
    /// # Errors
    /// As [`Model::open`] and [`QuestionAnswering::new`].
    #[cfg(not(target_arch = "wasm32"))]
    pub async fn open(
        directory: impl AsRef<std::path::Path>,
        options: &crate::session::SessionOptions,
    ) -> Result<Self> {
        Self::new(Model::open(directory, options).await?)
    }

    /// The model.
    pub fn model(&mut self) -> &mut Model {
        &mut self.model
    }

    /// Where it runs, and why.
    pub fn device(&self) -> &DeviceReport {
        self.model.device()
    }

    /// Answers a question from a context of any length.
    ///
    /// # Errors
    /// [`crate::error::Error::InvalidInput`] for texts without a token; the model stays usable.
    pub async fn ask(&mut self, question: &str, context: &str, options: &AskOptions) -> Result<Reply> {
        self.ask_with(question, context, options, async |_| ControlFlow::Continue(())).await
    }

    /// Like [`QuestionAnswering::ask`]; `progress` is called between runs, of one window or, where the device gains by
    /// it, several, and may stop the reading.
    ///
    /// # Errors
    /// As [`QuestionAnswering::ask`].
    pub async fn ask_with(
        &mut self,
        question: &str,
        context: &str,
        options: &AskOptions,
        mut progress: impl AsyncFnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Reply> {
        if options.max_windows == Some(0) {
            return Err(Error::invalid_input("max_windows", "0; at least one window is read"));
        }
        let started = now_ms();
        let sizes = WindowOptions {
            max_length: options.max_length.min(self.model.config.max_position_embeddings),
            doc_stride: options.doc_stride,
            max_question: options.max_question_tokens,
        };
        let windows = Windows::new(self.model.tokenizer()?, question, context, &sizes)?;
        let search = SearchOptions { top_k: options.top_k, max_answer_tokens: options.max_answer_tokens };
        let mut search = Search::new(context, search)?;
        let mut timing = Timing { tokenize: now_ms() - started, ..Timing::default() };

        let total = windows.len();
        let to_read = options.max_windows.unwrap_or(total).min(total);
        let mut done = 0;
        // A long text is read in the order in which its windows promise the answer; the result is the same in any order.
        let order = relevance::order(&windows);
        while done < to_read {
            let size = self.windows_a_run(to_read - done);
            let together: Vec<_> =
                order[done..done + size].iter().filter_map(|&index| windows.get(index)).collect();
            let before = now_ms();
            let results = self.run(&together).await?;
            let computed = now_ms();
            for (window, outputs) in together.iter().zip(&results) {
                let (start, end) = (output(outputs, "start_logits")?, output(outputs, "end_logits")?);
                search.add_window(window, start, end)?;
            }
            done += size;
            timing.compute += computed - before;
            timing.search += now_ms() - computed;
            if done < to_read {
                let partial =
                    Progress { answers: search.answers(), windows_done: done, windows_total: total };
                if progress(partial).await.is_break() {
                    break;
                }
            }
        }
        let before = now_ms();
        let mut answers = search.answers();
        timing.search += now_ms() - before;
        timing.total = now_ms() - started;
        answers.windows = total;
        let truncated = windows.question_truncated() || done < total;
        Ok(Reply { answers, windows_done: done, truncated, timing })
    }

    fn windows_a_run(&self, left: usize) -> usize {
        match self.device().kind {
            DeviceKind::Gpu => self.pace.next(left),
            // Its rows share caches, not idle units: windows side by side win nothing there.
            DeviceKind::Cpu => 1,
        }
    }

    async fn run(&mut self, windows: &[Window<'_>]) -> Result<Vec<Outputs>> {
        let sequences: Vec<_> =
            windows.iter().map(|window| Sequence::new(window.ids.clone(), window.type_ids.clone())).collect();
        let before = now_ms();
        let results = self.model.session.run_together(&sequences).await?;
        let tokens = sequences.iter().map(|sequence| sequence.input_ids.len()).sum();
        self.pace.note(windows.len(), tokens, now_ms() - before);
        Ok(results)
    }
}
