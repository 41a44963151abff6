//! Windows over a context of any length, token for token those of BERT's `run_squad`.
//!
//! `run_squad` splits the context at spaces, cuts each word into WordPiece tokens, and slides a span of as many tokens
//! as fit beside the question by `doc_stride` tokens at a time. Neighbouring windows overlap; a token's answer counts
//! only in the window that shows most of what stands around it: its *max-context* window.

use std::borrow::Cow;

use super::{Piece, SpecialIds, Tokenizer};
use crate::error::{Error, Result};

/// Sizes of the windows, in tokens. The defaults are those of BERT's SQuAD runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowOptions {
    /// Longest input, `[CLS]` and both `[SEP]` included. At most the model's `max_position_embeddings`.
    pub max_length: usize,
    /// How far a window moves on, at least 1.
    pub doc_stride: usize,
    /// Longest question; the rest is cut off. A question is cut further where no room for context would be left.
    pub max_question: usize,
}

impl Default for WindowOptions {
    fn default() -> Self {
        Self { max_length: 384, doc_stride: 128, max_question: 64 }
    }
}

/// Tokens that are in every window besides question and context: `[CLS]` and two `[SEP]`.
const SPECIALS: usize = 3;

/// All windows of one question over one context. Windows are made when asked for; what is kept is the context's pieces.
#[derive(Clone, Debug)]
pub struct Windows<'a> {
    special: SpecialIds,
    question: Vec<u32>,
    question_truncated: bool,
    context: Cow<'a, [Piece]>,
    /// Context pieces that fit in one window.
    capacity: usize,
    /// How far apart two windows begin.
    step: usize,
}

/// One input of a question-answering model: `[CLS] question [SEP] context [SEP]`, not padded.
#[derive(Clone, Debug, PartialEq)]
pub struct Window<'a> {
    /// Number of this window, from 0.
    pub index: usize,
    /// Token ids.
    pub ids: Vec<u32>,
    /// 0 up to the first `[SEP]` and with it, 1 after it. As long as `ids`.
    pub type_ids: Vec<u32>,
    /// Position in `ids` of the first context piece.
    pub context_position: usize,
    /// Number of the window's first piece among those of the whole context.
    pub first_piece: usize,
    /// The context pieces of this window, places in the source included.
    pub pieces: &'a [Piece],
    /// For each of `pieces`: does this window show it with most context?
    pub max_context: Vec<bool>,
}

impl Windows<'static> {
    /// Tokenises both texts.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a question or context without a token, or options that leave no room.
    pub fn new(
        tokenizer: &Tokenizer,
        question: &str,
        context: &str,
        options: &WindowOptions,
    ) -> Result<Self> {
        Self::with_pieces(tokenizer, question, Cow::Owned(tokenizer.encode(context)?), options)
    }
}

impl<'a> Windows<'a> {
    /// Like [`Windows::new`] over a context that is tokenised already, for many questions about one text.
    ///
    /// # Errors
    /// As [`Windows::new`].
    pub fn over(
        tokenizer: &Tokenizer,
        question: &str,
        context: &'a [Piece],
        options: &WindowOptions,
    ) -> Result<Self> {
        Self::with_pieces(tokenizer, question, Cow::Borrowed(context), options)
    }

    fn with_pieces(
        tokenizer: &Tokenizer,
        question: &str,
        context: Cow<'a, [Piece]>,
        options: &WindowOptions,
    ) -> Result<Self> {
        let WindowOptions { max_length, doc_stride, max_question } = *options;
        if doc_stride == 0 {
            return Err(Error::invalid_input("doc_stride", "is 0; windows must move on by at least 1 token"));
        }
        let Some(room) = max_length.checked_sub(SPECIALS + 1).filter(|&room| room > 0 && max_question > 0)
        else {
            let problem = format!(
                "max_length {max_length} and max_question {max_question}: a window needs room for one token each of question and context and {SPECIALS} special tokens"
            );
            return Err(Error::invalid_input("max_length", problem));
        };
        let mut question: Vec<u32> = tokenizer.encode(question)?.iter().map(|piece| piece.id).collect();
        if question.is_empty() {
            return Err(Error::invalid_input("question", "holds no text; ask something"));
        }
        if context.is_empty() {
            return Err(Error::invalid_input("context", "holds no text; give a passage to read"));
        }
        let longest = max_question.min(room);
        let question_truncated = question.len() > longest;
        question.truncate(longest);
        let capacity = max_length - question.len() - SPECIALS;
        let special = tokenizer.special();
        let step = doc_stride.min(capacity);
        Ok(Self { special, question, question_truncated, context, capacity, step })
    }

    /// Number of windows, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "there is always a window")]
    pub fn len(&self) -> usize {
        1 + self.context.len().saturating_sub(self.capacity).div_ceil(self.step)
    }

    /// The window `index`; `None` past the last one.
    pub fn get(&self, index: usize) -> Option<Window<'_>> {
        if index >= self.len() {
            return None;
        }
        let span = self.span(index);
        let pieces = self.context.get(span.clone())?;
        let context_position = self.question.len() + 2;
        let separator = self.special.separator;
        let mut ids = Vec::with_capacity(context_position + pieces.len() + 1);
        ids.push(self.special.class);
        ids.extend_from_slice(&self.question);
        ids.push(separator);
        ids.extend(pieces.iter().map(|piece| piece.id));
        ids.push(separator);
        let mut type_ids = vec![0; context_position];
        type_ids.resize(ids.len(), 1);
        let max_context = span.clone().map(|piece| self.best_window(piece) == index).collect();
        Some(Window { index, ids, type_ids, context_position, first_piece: span.start, pieces, max_context })
    }

    /// The windows in reading order.
    pub fn iter(&self) -> impl Iterator<Item = Window<'_>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// Token ids of the question, as they stand in every window.
    pub fn question(&self) -> &[u32] {
        &self.question
    }

    /// Whether the question was too long and lost its end.
    pub fn question_truncated(&self) -> bool {
        self.question_truncated
    }

    /// All pieces of the context.
    pub fn context(&self) -> &[Piece] {
        &self.context
    }

    /// Numbers of the context pieces that window `index` holds.
    pub fn span(&self, index: usize) -> std::ops::Range<usize> {
        let start = index.saturating_mul(self.step).min(self.context.len());
        start..start.saturating_add(self.capacity).min(self.context.len())
    }

    /// The max-context window of a piece. BERT's score is the smaller of the numbers of pieces to its left and right,
    /// plus a hundredth of the window's length; the first window with the best score wins.
    fn best_window(&self, piece: usize) -> usize {
        // Windows hold at most `capacity` pieces, so that older ones ended before this piece.
        let first = (piece + 1).saturating_sub(self.capacity).div_ceil(self.step);
        let last = (piece / self.step).min(self.len() - 1);
        let mut best = (first, f64::NEG_INFINITY);
        for index in first..=last {
            let span = self.span(index);
            let around = (piece - span.start).min(span.end - 1 - piece);
            let score = around as f64 + 0.01 * span.len() as f64;
            if score > best.1 {
                best = (index, score);
            }
        }
        best.0
    }
}
