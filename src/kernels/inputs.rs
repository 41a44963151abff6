//! The inputs of a run: ids, types and mask, padded to a plan's batch size and sequence length.

/// An id past the end of a text: its word vector is zeros, as beyond the edge of a sequence, so that a result does not
/// depend on the length that it was padded to. (The caller's own padding is an ordinary token.)
pub const PAD_ID: u32 = u32::MAX;

/// Inputs of one run, each row-major `[batch, sequence]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Token ids, [`PAD_ID`] past the end of each text.
    pub input_ids: Vec<u32>,
    /// Token types; 0 past the end of each text.
    pub token_type_ids: Vec<u32>,
    /// 1 where a token may be attended to, 0 elsewhere and past the end of each text.
    pub attention_mask: Vec<u32>,
}
