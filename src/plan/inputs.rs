//! What a run is given: ids, types and mask, padded to a plan's batch and sequence.

/// An id that stands past the end of a text: its word vector is zeros, as beyond the edge of a sequence, so that a
/// result does not depend on the length a plan was padded to. (Padding of the caller's own is an ordinary token.)
pub const PAST_THE_END: u32 = u32::MAX;

/// Inputs of one run, each row-major `[batch, sequence]` of the plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Token ids, [`PAST_THE_END`] beyond each text.
    pub input_ids: Vec<u32>,
    /// Token types; 0 beyond each text.
    pub token_type_ids: Vec<u32>,
    /// 1 where a token may be attended to, 0 elsewhere and beyond each text.
    pub attention_mask: Vec<u32>,
}
