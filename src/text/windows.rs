//! Windows over a context of any length, token for token the same as those of BERT's `run_squad`.
//!
//! `run_squad` splits the context at spaces, splits each word into WordPiece tokens, and slides a span of as
//! many tokens as fit next to the question by `doc_stride` tokens at a time. Adjacent windows overlap; a span
//! of tokens counts only in the window that has the most context around its first token: the *max-context*
//! window.

use std::borrow::Cow;

use super::sliding::Sliding;
use super::template::{Assembled, Template};
use super::{Piece, Tokenizer};
use crate::error::{Error, Result};

/// Sizes of windows in tokens. The defaults are those of BERT's SQuAD runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowOptions {
    /// Maximum length of a window, including `[CLS]` and both `[SEP]`, up to the model's
    /// `max_position_embeddings`.
    pub max_length: usize,
    /// Distance from the start of one window to the start of the next, at least 1.
    pub doc_stride: usize,
    /// Maximum length of the question; a longer one is truncated, further if it would leave no room for
    /// context.
    pub max_question: usize,
}

impl Default for WindowOptions {
    fn default() -> Self {
        Self { max_length: 384, doc_stride: 128, max_question: 64 }
    }
}

/// All windows of a question over a context. Stores the context's pieces and creates windows on demand.
#[derive(Clone, Debug)]
pub struct Windows<'a> {
    template: Template,
    question: Vec<u32>,
    question_pieces: Vec<Piece>,
    question_truncated: bool,
    context: Cow<'a, [Piece]>,
    spans: Sliding,
}

/// One input of a question-answering model: `[CLS] question [SEP] context [SEP]` unless the tokenizer has another template,
/// not padded.
#[derive(Clone, Debug, PartialEq)]
pub struct Window<'a> {
    /// Index of this window.
    pub index: usize,
    /// Token ids.
    pub ids: Vec<u32>,
    /// 0 up to and including the first `[SEP]`, 1 after it, unless the template says otherwise. As long as `ids`.
    pub type_ids: Vec<u32>,
    /// Position in `ids` of the first question piece.
    pub question_position: usize,
    /// Position in `ids` of the first context piece.
    pub context_position: usize,
    /// Index of the window's first piece in the context.
    pub first_piece: usize,
    /// The question's pieces.
    pub question: &'a [Piece],
    /// The context pieces of this window.
    pub pieces: &'a [Piece],
    /// All pieces of the context.
    pub context: &'a [Piece],
    /// For each of `pieces`, whether this is its max-context window.
    pub max_context: Vec<bool>,
}

impl Windows<'static> {
    /// Tokenizes both texts.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a question or context without tokens, or options that leave no room.
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
    /// Like [`Windows::new`], for an already tokenized context, to ask many questions about one text.
    ///
    /// # Errors
    /// Same as [`Windows::new`].
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
            return Err(Error::invalid_input("doc_stride", "is 0, must be at least 1"));
        }
        let template = tokenizer.template().clone();
        let specials = template.specials(true);
        let Some(room) = max_length.checked_sub(specials + 1).filter(|&room| room > 0 && max_question > 0)
        else {
            let problem = format!(
                "max_length {max_length} and max_question {max_question}: a window needs room for one token of the question, one of the context and {specials} special tokens"
            );
            return Err(Error::invalid_input("max_length", problem));
        };
        let mut question_pieces = tokenizer.encode(question)?;
        if question_pieces.is_empty() {
            return Err(Error::invalid_input("question", "has no text; ask something"));
        }
        if context.is_empty() {
            return Err(Error::invalid_input("context", "has no text; provide a passage"));
        }
        let longest = max_question.min(room);
        let question_truncated = question_pieces.len() > longest;
        question_pieces.truncate(longest);
        let question: Vec<u32> = question_pieces.iter().map(|piece| piece.id).collect();
        let capacity = max_length - question.len() - specials;
        let spans = Sliding::new(context.len(), capacity, doc_stride);
        Ok(Self { template, question, question_pieces, question_truncated, context, spans })
    }

    /// Number of windows, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "there is always a window")]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// The window with this index; `None` past the last one.
    pub fn get(&self, index: usize) -> Option<Window<'_>> {
        if index >= self.len() {
            return None;
        }
        let span = self.span(index);
        let pieces = self.context.get(span.clone())?;
        let context = pieces.iter().map(|piece| piece.id);
        let Assembled { ids, type_ids, positions: [question_position, context_position] } =
            self.template.assemble(self.question.iter().copied(), Some(context));
        Some(Window {
            index,
            ids,
            type_ids,
            question_position,
            context_position,
            first_piece: span.start,
            question: &self.question_pieces,
            pieces,
            context: self.context.as_ref(),
            max_context: self.spans.max_context(index),
        })
    }

    /// The windows in reading order.
    pub fn iter(&self) -> impl Iterator<Item = Window<'_>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// Token ids of the question, as in every window.
    pub fn question(&self) -> &[u32] {
        &self.question
    }

    /// Returns whether the question was truncated.
    pub fn question_truncated(&self) -> bool {
        self.question_truncated
    }

    /// All pieces of the context.
    pub fn context(&self) -> &[Piece] {
        &self.context
    }

    /// Index of the window that shows a piece of the context with the most context.
    pub fn best(&self, piece: usize) -> usize {
        self.spans.best(piece)
    }

    /// Range of the context's pieces in window `index`.
    pub fn span(&self, index: usize) -> std::ops::Range<usize> {
        self.spans.span(index)
    }
}
