//! A window as one line of JSON, for comparison with other implementations.

use serde::Serialize;

use super::windows::Window;

/// A window of a question. All lists have the length of the input.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WindowRecord<'a> {
    /// Id of the question.
    pub id: &'a str,
    /// Index of the window.
    pub window: usize,
    /// Token ids, not padded.
    pub input_ids: &'a [u32],
    /// 0 for `[CLS] question [SEP]`, 1 for `context [SEP]`.
    pub token_type_ids: &'a [u32],
    /// `[start, end)` in UTF-8 bytes of the context; `[0, 0]` for tokens outside it.
    pub offsets: Vec<[usize; 2]>,
    /// By token, true if this is its max-context window; false for tokens outside the context.
    pub max_context: Vec<bool>,
}

impl<'a> WindowRecord<'a> {
    /// Describes `window` of question `id`.
    pub fn new(id: &'a str, window: &'a Window<'_>) -> Self {
        let mut offsets = vec![[0, 0]; window.context_position];
        offsets.extend(window.pieces.iter().map(|piece| [piece.start, piece.end]));
        offsets.resize(window.ids.len(), [0, 0]);
        let mut max_context = vec![false; window.context_position];
        max_context.extend_from_slice(&window.max_context);
        max_context.resize(window.ids.len(), false);
        let (input_ids, token_type_ids) = (&window.ids[..], &window.type_ids[..]);
        Self { id, window: window.index, input_ids, token_type_ids, offsets, max_context }
    }
}
