//! Explanations of an answer.

use std::ops::{ControlFlow, Range};

use serde::Serialize;

use super::question_answering::{AskOptions, QuestionAnswering};
use super::task::{Stopwatch, output};
use super::{Model, Timing};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::session::{ExtraOutputs, Sequence};
use crate::task::explanation::{WindowWords, Word};
use crate::text::windows::{Window, Windows};
use crate::weights::Tensor;

/// Options of an explanation. The sizes are those of [`AskOptions`]; the same sizes give the same windows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainOptions {
    /// The answer whose window is explained, in UTF-8 bytes of the context; the first window if omitted.
    pub answer: Option<Range<usize>>,
    /// The attention to return, if any.
    pub attention: Option<AttentionHead>,
    /// Tokens per window, question included, up to the model's maximum.
    pub max_length: usize,
    /// Tokens from the start of one window to the start of the next.
    pub doc_stride: usize,
    /// Maximum length of the question in tokens; a longer question is truncated.
    pub max_question_tokens: usize,
}

impl Default for ExplainOptions {
    fn default() -> Self {
        let AskOptions { max_length, doc_stride, max_question_tokens, .. } = AskOptions::default();
        ExplainOptions { answer: None, attention: None, max_length, doc_stride, max_question_tokens }
    }
}

/// A head of a layer, both counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AttentionHead {
    /// The layer.
    pub layer: usize,
    /// The head.
    pub head: usize,
}

/// The window of an answer, word by word.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The words of the window, including special tokens, in the order of the model's input.
    pub words: Vec<Word>,
    /// Attention between the words, if requested: `[words, words]` in row-major order. A row is the attention
    /// that one word pays to the others.
    pub attention: Option<Vec<f32>>,
    /// Number of layers.
    pub layers: usize,
    /// Number of heads per layer.
    pub heads: usize,
    /// Index of the window.
    pub window: usize,
    /// Number of windows over the whole context.
    pub windows: usize,
    /// Timing of the call.
    pub timing: Timing,
}

/// Results for the window explained last: showing another attention head of the same layer needs no run, and
/// showing another layer doesn't recompute the logits. Holds the attention of at most one layer.
#[derive(Debug, Default)]
pub(super) struct Explained {
    sequence: Sequence,
    logits: Option<[Vec<f32>; 2]>,
    attention: Option<(usize, Tensor)>,
}

impl QuestionAnswering {
    /// Explains an answer: the start and end probability of every word of its window and, if requested, what
    /// the words attend to. For the attention of a layer, later layers aren't computed.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for texts without a token, an answer outside the context, and a layer or head that the model
    /// doesn't have; the model stays usable.
    pub async fn explain(
        &mut self,
        question: &str,
        context: &str,
        options: &ExplainOptions,
    ) -> Result<Explanation> {
        self.explain_with(question, context, options, async || ControlFlow::Continue(())).await
    }

    /// Like [`QuestionAnswering::explain`]. `progress` is called between runs and may stop the call.
    ///
    /// # Errors
    /// Same as [`QuestionAnswering::explain`], and [`Error::Aborted`] if `progress` stopped the call.
    pub async fn explain_with(
        &mut self,
        question: &str,
        context: &str,
        options: &ExplainOptions,
        mut progress: impl AsyncFnMut() -> ControlFlow<()>,
    ) -> Result<Explanation> {
        let mut stopwatch = Stopwatch::start();
        let model = self.model();
        check_options(options, model.config(), context)?;
        let sizes = model.window_options(options.max_length, options.doc_stride, options.max_question_tokens);
        let windows = Windows::new(model.tokenizer()?, question, context, &sizes)?;
        stopwatch.tokenized();
        let window = window_of(&windows, options.answer.as_ref())?;
        let tokenizer = model.tokenizer()?;
        let words =
            WindowWords::new(&window, question, context, |id| tokenizer.token(id).unwrap_or_default());
        stopwatch.skip();
        let [start, end] = model.window_logits(&window).await?;
        stopwatch.computed();
        let mut explanation = Explanation {
            words: words.with_probabilities(&start, &end)?,
            attention: None,
            layers: model.config.num_hidden_layers,
            heads: model.config.num_attention_heads,
            window: window.index,
            windows: windows.len(),
            timing: Timing::default(),
        };
        stopwatch.postprocessed();
        if let Some(AttentionHead { layer, head }) = options.attention {
            if progress().await.is_break() {
                return Err(Error::Aborted);
            }
            stopwatch.skip();
            let probabilities = model.window_attention(layer).await?;
            stopwatch.computed();
            let size = window.ids.len() * window.ids.len();
            let of_head = probabilities.data.get(head * size..(head + 1) * size).unwrap_or_default();
            explanation.attention = Some(words.attention(of_head)?);
            stopwatch.postprocessed();
        }
        Ok(Explanation { timing: stopwatch.timing(), ..explanation })
    }
}

impl Model {
    /// Start and end logits of a window, computed unless it is the window explained last.
    async fn window_logits(&mut self, window: &Window<'_>) -> Result<[Vec<f32>; 2]> {
        let sequence = Sequence::new(window.ids.clone(), window.type_ids.clone());
        if self.explained.sequence != sequence {
            self.check_ids(&sequence.input_ids)?;
            self.explained = Explained { sequence, ..Explained::default() };
        }
        if let Some(logits) = &self.explained.logits {
            return Ok(logits.clone());
        }
        let sequences = std::slice::from_ref(&self.explained.sequence);
        let outputs = self.session.run(sequences, ExtraOutputs::default()).await?;
        let outputs = outputs.first().ok_or_else(|| Error::internal("run", "one sequence gave no result"))?;
        let logits =
            [output(outputs, "start_logits")?.data.clone(), output(outputs, "end_logits")?.data.clone()];
        Ok(self.explained.logits.insert(logits).clone())
    }

    /// Attention probabilities of the window explained last, `[heads, tokens, tokens]`.
    async fn window_attention(&mut self, layer: usize) -> Result<&Tensor> {
        let kept = self.explained.attention.take().filter(|(kept, _)| *kept == layer);
        let kept = match kept {
            Some(kept) => kept,
            None => (layer, self.session.attention(&self.explained.sequence, layer).await?),
        };
        Ok(&self.explained.attention.insert(kept).1)
    }
}

fn check_options(options: &ExplainOptions, config: &Config, context: &str) -> Result<()> {
    if let Some(AttentionHead { layer, head }) = options.attention {
        let (layers, heads) = (config.num_hidden_layers, config.num_attention_heads);
        for (field, value, count) in [("layer", layer, layers), ("head", head, heads)] {
            if value >= count {
                let problem = format!("is {value}; this model has 0 to {}", count.saturating_sub(1));
                return Err(Error::invalid_input(field, problem));
            }
        }
    }
    match &options.answer {
        Some(bytes) if bytes.is_empty() || context.get(bytes.clone()).is_none() => {
            Err(Error::invalid_input("answer", "isn't a span of the context with at least one character"))
        }
        _ => Ok(()),
    }
}

/// The window in which the answer counts, the one that shows its first token with the most context; without
/// an answer, the first window.
fn window_of<'a>(windows: &'a Windows<'_>, answer: Option<&Range<usize>>) -> Result<Window<'a>> {
    let index = match answer {
        None => 0,
        Some(bytes) => {
            let pieces = windows.context();
            let piece = pieces.partition_point(|piece| piece.end <= bytes.start);
            if pieces.get(piece).is_none_or(|piece| piece.start >= bytes.end) {
                return Err(Error::invalid_input("answer", "has no token; give one that `ask` returned"));
            }
            windows.best(piece)
        }
    };
    windows.get(index).ok_or_else(|| Error::internal("explain", "the answer is in no window"))
}
