//! Questions over texts of any length.

use std::ops::ControlFlow;

use serde::Serialize;

use super::ahead::{Ahead, Batching, Job};
use super::task::{Stopwatch, declare_task, output};
use super::{Model, Timing};
use crate::clock::now_ms;
use crate::config::{Config, Head};
use crate::error::{Error, Result};
use crate::session::{DeviceKind, Outputs, Sequence};
use crate::task::question_answering::{Answer, Answers, Merge, NoAnswer, Search, SearchOptions, Verdict};
use crate::task::relevance;
use crate::text::windows::{Window, WindowOptions, Windows};
use crate::trial::{Order, Trial};

declare_task! {
    /// A model with a question-answering head.
    QuestionAnswering, "question answering", Head::QuestionAnswering, Head::QuestionAnswering
}

/// Options of a question. The default sizes are those of BERT's SQuAD runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskOptions {
    /// Maximum number of answers.
    pub top_k: usize,
    /// Maximum length of an answer in tokens.
    pub max_answer_tokens: usize,
    /// Tokens per window, question included, up to the model's maximum.
    pub max_length: usize,
    /// Tokens from the start of one window to the start of the next.
    pub doc_stride: usize,
    /// Maximum length of the question in tokens; a longer question is truncated.
    pub max_question_tokens: usize,
    /// Maximum number of windows to read.
    pub max_windows: Option<usize>,
    /// Which spans are merged into one answer.
    pub merge: Merge,
    /// Whether answers are extended to whole words: `300km` instead of `300`.
    pub align_to_words: bool,
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
            merge: search.merge,
            align_to_words: search.align_to_words,
        }
    }
}

impl AskOptions {
    fn search<'a>(&self, context: &'a str, config: &Config) -> Result<Search<'a>> {
        let AskOptions { top_k, max_answer_tokens, merge, align_to_words, .. } = *self;
        let options = SearchOptions { top_k, max_answer_tokens, merge, align_to_words };
        Ok(Search::new(context, options)?
            .with_temperature(config.calibration.temperature)
            .with_null_bias(config.calibration.null_bias)
            .with_span_costs(config.span_costs))
    }
}

/// The answers to a question.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reply {
    /// Answers with distinct texts, the one with the best span first. Empty only if every span has a score of
    /// −∞.
    pub answers: Vec<Answer>,
    /// The null answer.
    pub no_answer: NoAnswer,
    /// The verdict according to the model's calibration: the first answer, a guess, or no answer.
    pub verdict: Verdict,
    /// Number of windows over the whole context.
    pub windows: usize,
    /// Number of windows read; less than `windows` if `max_windows` or the caller stopped the reading.
    pub windows_done: usize,
    /// True if the end of the question or some windows weren't read.
    pub truncated: bool,
    /// Timing of the call.
    pub timing: Timing,
}

impl Reply {
    /// SQuAD v2.0's score difference; see [`NoAnswer::difference`].
    pub fn null_difference(&self) -> f64 {
        self.no_answer.difference(&self.answers)
    }
}

/// The result after some of the windows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Progress {
    /// The best answers of the windows read so far.
    pub answers: Vec<Answer>,
    /// The null answer.
    pub no_answer: NoAnswer,
    /// Number of windows read.
    pub windows_done: usize,
    /// Number of windows over the whole context.
    pub windows_total: usize,
}

impl QuestionAnswering {
    /// Answers a question from a context of any length.
    ///
    /// # Errors
    /// [`crate::error::Error::InvalidInput`] for texts without a token; the model stays usable.
    pub async fn ask(&mut self, question: &str, context: &str, options: &AskOptions) -> Result<Reply> {
        self.ask_with(question, context, options, async |_| ControlFlow::Continue(())).await
    }

    /// Like [`QuestionAnswering::ask`]. `progress` is called between runs and may stop the reading; a run
    /// takes one window, or several if that is faster.
    ///
    /// # Errors
    /// Same as [`QuestionAnswering::ask`].
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
        let mut stopwatch = Stopwatch::start();
        let model = &mut self.0;
        let sizes = model.window_options(options.max_length, options.doc_stride, options.max_question_tokens);
        let windows = Windows::new(model.tokenizer()?, question, context, &sizes)?;
        let mut search = options.search(context, &model.config)?;
        stopwatch.tokenized();

        let total = windows.len();
        let to_read = options.max_windows.unwrap_or(total).min(total);
        // The most promising windows first; the result doesn't depend on the order.
        let order = relevance::order(&windows);
        let mut begun = 0;
        let mut next_windows = |model: &Model| {
            if begun == to_read {
                return Ok(None);
            }
            let indices = &order[begun..begun + windows_per_run(model, to_read - begun)];
            let batch: Vec<_> = indices.iter().filter_map(|&index| windows.get(index)).collect();
            begun += indices.len();
            job(model, batch, to_read - begun).map(Some)
        };
        let mut ahead = Ahead::new(model, Batching::Together, &mut next_windows);
        let mut done = 0;
        stopwatch.skip();
        while let Some((batch, outputs)) = ahead.next(model).await? {
            stopwatch.computed();
            add_windows(&mut search, &batch, &outputs)?;
            done += batch.len();
            stopwatch.postprocessed();
            if done < to_read {
                let Answers { answers, no_answer, .. } = search.answers();
                let partial = Progress { answers, no_answer, windows_done: done, windows_total: total };
                if progress(partial).await.is_break() {
                    break;
                }
            }
            stopwatch.skip();
        }
        stopwatch.skip();
        let Answers { answers, no_answer, .. } = search.answers();
        stopwatch.postprocessed();
        Ok(Reply {
            verdict: no_answer.verdict(&answers, &self.0.config.calibration),
            answers,
            no_answer,
            windows: total,
            windows_done: done,
            truncated: windows.question_truncated() || done < total,
            timing: stopwatch.timing(),
        })
    }
}

/// Number of windows of a long text per run: a GPU with capacity to spare computes four in little more than
/// the time of one; a small one gains nothing and only shows partial answers later. Four windows of 512
/// tokens stay within WebGPU's guaranteed limits. They are used only if they take less than nine tenths of
/// the time.
pub(super) fn window_batches() -> Trial<usize> {
    Trial::new([1, 4], Order::OneAfterAnother, 0.9)
}

fn windows_per_run(model: &Model, left: usize) -> usize {
    match model.device().kind {
        DeviceKind::Gpu => model.window_batches.next(|windows| windows <= left).min(left),
        // Batches gain nothing on the CPU: the rows of one window occupy all of its units.
        DeviceKind::Cpu => 1,
    }
}

/// Adds the results of a run to the search.
fn add_windows(search: &mut Search<'_>, windows: &[Window<'_>], results: &[Outputs]) -> Result<()> {
    for (window, outputs) in windows.iter().zip(results) {
        let (start, end) = (output(outputs, "start_logits")?, output(outputs, "end_logits")?);
        search.add_window(window, &start.data, &end.data)?;
    }
    Ok(())
}

/// The windows of one run.
fn job<'a>(model: &Model, windows: Vec<Window<'a>>, left: usize) -> Result<Job<Vec<Window<'a>>>> {
    windows.iter().try_for_each(|window| model.check_ids(&window.ids))?;
    let sequence = |window: &Window<'_>| Sequence::new(window.ids.clone(), window.type_ids.clone());
    let sequences = windows.iter().map(sequence).collect();
    Ok(Job { about: windows, sequences, left })
}

impl Model {
    /// Runs windows as one batch, and records its time for [`windows_per_run`].
    pub(super) async fn run_together(&mut self, windows: &[Sequence]) -> Result<Vec<Outputs>> {
        let before = now_ms();
        let outputs = self.session.run_together(windows).await?;
        let tokens: usize = windows.iter().map(|sequence| sequence.input_ids.len()).sum();
        // Per token: windows differ in length.
        self.window_batches.note(windows.len(), (now_ms() - before) / tokens.max(1) as f64);
        Ok(outputs)
    }
}
